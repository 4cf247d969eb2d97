/** An envelope's bytes as they came from the broker. */
export interface Message {
  /** Name of the gateway whose topic it came on. */
  readonly gateway: string;
  /** Sensor id of the topic, lower-case hex. */
  readonly sensorId: string;
  readonly bytes: Uint8Array;
  /** Milliseconds since the Unix epoch by the collector's clock. */
  readonly receivedAtMs: number;
}

/**
 * Messages without a verdict. Each gateway has a bound of its own over everything of it that is in this process, and gets its
 * turn, so that a flood from one neither fills the memory nor keeps the others waiting.
 */
export interface IntakeQueue {
  /** False when the gateway's bound is reached; the message is then dropped, and its gateway sends it again. */
  readonly push: (message: Message) => boolean;
  /** Up to `max` messages, a share of each gateway's oldest; they still count against the bound until released. */
  readonly take: (max: number) => readonly Message[];
  /** Gives room back for messages that got their receipt, or were dropped. */
  readonly release: (messages: readonly Message[]) => void;
  /** Messages that wait to be taken. */
  readonly waiting: () => number;
  /** Messages taken and not released. */
  readonly held: () => number;
}

/** An empty queue. */
export function createIntakeQueue(maxPerGateway: number): IntakeQueue {
  const queues = new Map<string, Message[]>();
  const counts = new Map<string, number>();
  let waiting = 0;
  let total = 0;
  return {
    push: (message) => {
      const count = counts.get(message.gateway) ?? 0;
      if (count >= maxPerGateway) return false;
      counts.set(message.gateway, count + 1);
      const queue = queues.get(message.gateway);
      if (queue) queue.push(message);
      else queues.set(message.gateway, [message]);
      waiting += 1;
      total += 1;
      return true;
    },
    take: (max) => {
      const taken: Message[] = [];
      const share = Math.max(1, Math.ceil(max / Math.max(1, queues.size)));
      for (const [gateway, queue] of queues) {
        if (taken.length === max) break;
        taken.push(...queue.splice(0, Math.min(share, max - taken.length)));
        // Whoever had its turn goes to the end of the line.
        queues.delete(gateway);
        if (queue.length > 0) queues.set(gateway, queue);
      }
      waiting -= taken.length;
      return taken;
    },
    release: (messages) => {
      for (const { gateway } of messages) {
        const left = (counts.get(gateway) ?? 0) - 1;
        if (left > 0) counts.set(gateway, left);
        else counts.delete(gateway);
      }
      total -= messages.length;
    },
    waiting: () => waiting,
    held: () => total - waiting,
  };
}
