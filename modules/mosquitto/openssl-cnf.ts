/**
 * Configuration of the TLS library for Mosquitto, which has no setting of its own for it: no session tickets, since a resumed
 * session does not verify the client's certificate again.
 */
export const OPENSSL_CNF = `openssl_conf = init
[init]
ssl_conf = ssl
[ssl]
system_default = defaults
[defaults]
MinProtocol = TLSv1.3
NumTickets = 0
`;
