import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes that every service may raise. */
export const runtimeErrors = catalogue({
  SERVICE_USAGE: {
    exit: EXIT.configuration,
    summary: "A service was started without its configuration file.",
    fix: "start it as: node services/<name>/main.ts --config FILE",
  },
  SERVICE_CONFIG_UNREADABLE: {
    exit: EXIT.configuration,
    summary: "The configuration file of a service cannot be read, or is not JSON.",
    fix: "check the path and that the file holds one JSON object",
  },
  SERVICE_CONFIG_INVALID: {
    exit: EXIT.configuration,
    summary: "The configuration of a service has mistakes; the message lists all of them.",
    fix: "correct each listed property",
  },
  SERVICE_FILE_UNREADABLE: {
    exit: EXIT.resource,
    summary: "A file that a service's configuration names cannot be read.",
    fix: "check that the file exists and that the service's user may read it",
  },
  SERVICE_TLS_INVALID: {
    exit: EXIT.configuration,
    summary: "Certificate, key, trust anchors or revocation lists of a service do not fit together, or are damaged.",
    fix: "write the whole set anew: `trustkern certs renew`",
  },
  BROKER_PINS_INVALID: {
    exit: EXIT.configuration,
    summary: "The file of the broker's pins cannot be read, or holds something else than pins.",
    fix: "write one SHA-256 of the broker's public key on each line, 64 lower-case hex digits",
  },
  BROKER_PIN_MISMATCH: {
    exit: EXIT.authentication,
    summary: "What answered as the broker has a valid certificate, and a key that is not among the broker's pins.",
    fix: "if the broker's key was changed on purpose, publish its pin first; else find out who answers at its address",
  },
  CONTROL_SOCKET_IN_USE: {
    exit: EXIT.resource,
    summary: "Another living process answers on the service's control socket.",
    fix: "stop the process that uses the socket, or give the service another controlSocket",
  },
  CONTROL_SOCKET_PATH: {
    exit: EXIT.configuration,
    summary: "A Unix socket's path is longer than the kernel takes, or its folder cannot be written.",
    fix: "use a shorter state directory with --dir, one that this user may write",
  },
  PORT_IN_USE: {
    exit: EXIT.resource,
    summary: "The address that a service listens on is taken or not allowed.",
    fix: "stop what uses the port, or configure another one",
  },
  HTTP_BODY_TOO_LARGE: {
    exit: EXIT.configuration,
    summary: "A request's body is larger than the service takes.",
    fix: "send less in one request",
  },
  HTTP_BODY_INVALID: {
    exit: EXIT.configuration,
    summary: "A request's body is not JSON, or has mistakes; the message lists all of them.",
    fix: "correct each listed member",
  },
  HTTP_NO_ROUTE: {
    exit: EXIT.notFound,
    summary: "No such path on this service, or not with this method.",
    fix: "check the method and the path",
  },
  GRPC_MALFORMED: {
    exit: EXIT.configuration,
    summary: "A gRPC request is not a message of the method's type.",
    fix: "run client and service of one release",
  },
  METRICS_CLIENT_REFUSED: {
    exit: EXIT.authentication,
    summary: "A client whose certificate is valid asked for metrics, and is none of those that may read them.",
    fix: "name the client's common name in metrics.clients, or let it ask Prometheus",
  },
  DATABASE_ROLE_SECRET: {
    exit: EXIT.configuration,
    summary: "A database role's password file is empty or too short.",
    fix: "write at least 16 characters into the role's password file",
  },
  SERVICE_INTERNAL: {
    exit: EXIT.bug,
    summary: "A service failed in a way that it does not know; its log says more.",
    fix: "read the service's log, and report it as a bug",
  },
});
