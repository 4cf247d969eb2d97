/** A TCP connection that Mosquitto took, by its address and port. */
export const OPENED = /New connection from (\S+) on port/;

/** A CONNECT that it took: the address and port, the client's id, and the user, which is the last thing that the line says. */
export const CONNECTED = /New client connected from (\S+) as (.*) \(p\d+, c\d+, k\d+, u'([^']*)'\)/;

/** An end of a session, whoever ended it, where the client's id is its user: that says nothing else. */
export const GONE =
  /^\S+: (?:Client|Socket error on client|Bad socket read\/write on client) (CN=.+?)(?: disconnected| closed its connection| has exceeded timeout|, disconnecting|: )/;

/** It reads its files again. */
export const RELOADED = /Reloading config/;

/** It starts, and nobody is connected. */
export const STARTING = /^\S+: mosquitto version \S+ starting/;
