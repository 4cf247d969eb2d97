import { z } from "zod";

const port = z.int().min(1).max(65_535);
const address = z.union([z.ipv4(), z.ipv6()]);

const timeoutMs = z.int().min(1).max(60_000);

const target = z.strictObject({
  host: address,
  port,
  protocol: z.enum(["tcp", "udp"]),
});

/** TLS versions that a handshake may offer. */
export const TLS_VERSIONS = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] as const;

// What is made for one probe travels in the request; what is a component's own stays in its folder, which is mounted.
const pem = z.strictObject({ pem: z.string() });
const file = z.strictObject({ file: z.string() });
const material = z.union([pem, file]);

const handshake = z.strictObject({
  host: address,
  port,
  /** Name that the server's certificate must have. */
  servername: z.string(),
  /** The only roots that its certificate may be under. */
  ca: material,
  cert: material.optional(),
  key: material.optional(),
  minVersion: z.enum(TLS_VERSIONS),
  maxVersion: z.enum(TLS_VERSIONS),
  /** Whether PostgreSQL's SSLRequest goes before TLS. */
  postgres: z.boolean(),
  /** Longest wait for each answer. */
  timeoutMs,
  /** What is asked for by HTTP once the handshake is done: the answer decides, and not that the connection stays open. @default nothing */
  path: z.string().startsWith("/").optional(),
  /** How long the connection has to stay open after the handshake to count as taken. */
  settleMs: z.int().min(0).max(60_000),
});

const get = z.strictObject({
  /** `https://host:port` */
  url: z.url({ protocol: /^https$/ }),
  servername: z.string(),
  path: z.string().startsWith("/"),
  /** Paths of files. */
  tls: z.strictObject({ caFile: z.string(), certFile: z.string(), keyFile: z.string() }),
});

/** What the prober is asked, as one JSON document on its standard input. All times in milliseconds. */
export const probeQuestion = z.strictObject({
  /** Longest wait for the answer to each of the gets. */
  timeoutMs,
  /** Ports of TCP and UDP that the prober itself listens on, at every address, until it is told to end or {@link holdMs} are over. */
  listen: z.array(port),
  /** How long it listens. */
  holdMs: z.int().min(0).max(600_000),
  /** Each with the longest wait for its answer. */
  reach: z.array(target.extend({ timeoutMs })),
  handshakes: z.array(handshake),
  /** Names that are looked up as a program in the namespace would. */
  names: z.array(z.string()),
  /** UDP datagrams and TCP SYNs that are sent, whoever may hear them; `text` is in the datagram. */
  send: z.array(target.extend({ text: z.string().max(64) })),
  /** What is asked for by HTTPS, one after the other. @default nothing */
  gets: z.array(get).optional(),
  /** Envelopes that are sent as a sensor does (docs/spec/envelope.md), in lower-case hex. @default none */
  envelopes: z.array(z.strictObject({ host: z.string().min(1), port, bytes: z.string() })).optional(),
});

/** What became of an attempt to reach a target. */
export const REACHED = ["connected", "refused", "unreachable", "silent"] as const;

const peer = z.strictObject({ protocol: z.enum(["tcp", "udp"]), address: z.string(), port: z.int() });

/** What the prober found, as one JSON document on its standard output. */
export const probeAnswer = z.strictObject({
  /** Open TCP and UDP ports of the namespace. */
  listeners: z.array(peer),
  /** Addresses of the namespace, loopback left out. */
  addresses: z.array(z.string()),
  /** Destinations of the routes, such as `10.213.0.8/29`, and `default`. */
  routes: z.array(z.strictObject({ destination: z.string(), gateway: z.string(), device: z.string() })),
  /** In the order of the question; `refused` is the target's own answer, `unreachable` says that nothing was sent. */
  reach: z.array(z.enum(REACHED)),
  handshakes: z.array(
    z.strictObject({
      /** `taken`: the connection stayed open, or the server spoke; `refused`: it ended it; `away`: nobody listens there. */
      outcome: z.enum(["taken", "refused", "away", "untrusted"]),
      /** Version that was agreed on, or empty. */
      version: z.string(),
      /** What the other end or OpenSSL said, in one line; empty where it is taken. */
      why: z.string(),
    }),
  ),
  /** Of each name whether it has an address. */
  names: z.array(z.boolean()),
  /** Whether each was handed to the kernel. */
  sent: z.array(z.boolean()),
  /** Who came to the ports that the prober listened on. */
  heard: z.array(z.strictObject({ protocol: z.enum(["tcp", "udp"]), port: z.int(), from: z.string() })),
  /** Of each get the body of an answer of 200, or why there is none. */
  got: z.array(z.union([z.strictObject({ body: z.string() }), z.strictObject({ why: z.string() })])).optional(),
  /** Of each envelope the gateway's answer, such as `2.04`, with its text where that is a verdict; or why there is none. */
  taken: z
    .array(z.union([z.strictObject({ code: z.string(), text: z.string() }), z.strictObject({ why: z.string() })]))
    .optional(),
});

/** {@link probeQuestion} */
export type ProbeQuestion = z.infer<typeof probeQuestion>;

/** {@link probeAnswer} */
export type ProbeAnswer = z.infer<typeof probeAnswer>;

/** Something that the prober is asked to get by HTTPS. */
export type Get = z.infer<typeof get>;

/** An attempt at TLS that the prober is asked to make. */
export type Handshake = z.infer<typeof handshake>;

/** What became of an attempt at TLS. */
export type HandshakeAnswer = ProbeAnswer["handshakes"][number];

/** A port at an address. */
export type Target = z.infer<typeof target>;
