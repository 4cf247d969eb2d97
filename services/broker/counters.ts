/** What the broker has done since it started; `GET /status` shows it. */
export interface Counters {
  /** Connections that have a verified identity. */
  connections: number;
  publishesAccepted: number;
  publishesDenied: number;
  messagesForwarded: number;
  subscriptionsDenied: number;
  connectsDenied: number;
  handshakesFailed: number;
  connectionsOverLimit: number;
  oversizedPackets: number;
  messagesDropped: number;
  slowClients: number;
  clientErrors: number;
  /** Sessions that were ended since their certificate or token was taken back. */
  sessionsEnded: number;
  crlsRefused: number;
}

/** All at zero. */
export function createCounters(): Counters {
  return {
    connections: 0,
    publishesAccepted: 0,
    publishesDenied: 0,
    messagesForwarded: 0,
    subscriptionsDenied: 0,
    connectsDenied: 0,
    handshakesFailed: 0,
    connectionsOverLimit: 0,
    oversizedPackets: 0,
    messagesDropped: 0,
    slowClients: 0,
    clientErrors: 0,
    sessionsEnded: 0,
    crlsRefused: 0,
  };
}
