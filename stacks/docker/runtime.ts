/**
 * Longest time that a container has to end: Docker's own default. Every component may be killed at any time, and Loki never
 * ends by itself: once all else of it is stopped, its two servers wait for each other.
 */
export const STOP_SECONDS = 10;
/** How often a container is asked how it is. */
export const HEALTH = { intervalSeconds: 5, timeoutSeconds: 10, retries: 3 } as const;

/**
 * Whom a container asks for a name that is no flow's: it must not leave by way of the daemon's own resolver. Inside a container
 * that address is the container's own loopback, where nobody answers: the question ends there, after 2 s.
 */
export const RESOLVER = { nobody: "127.0.0.1", options: ["timeout:1", "attempts:2"] } as const;
