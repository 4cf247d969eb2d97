/** Bounds of {@link createExchangeCache}. */
export interface ExchangeCacheOptions {
  /** Exchanges remembered at once; the oldest goes first. */
  readonly maxExchanges: number;
  /** How long the same datagram stands for the same request (RFC 7252, section 4.8.2). */
  readonly lifetimeMs: number;
  /** Clock in milliseconds. */
  readonly now: () => number;
}

/** Remembers requests, so that a repeated datagram is handled once and answered alike (RFC 7252, section 4.5). */
export interface ExchangeCache {
  /** `"new"` for a first datagram, `"pending"` while its answer is worked on, else the answer to send again. */
  readonly begin: (key: string) => "new" | "pending" | Buffer;
  /** Keeps the answer of an exchange that began. */
  readonly finish: (key: string, answer: Buffer) => void;
}

interface Exchange {
  readonly startedAt: number;
  answer: Buffer | undefined;
}

/** Makes an {@link ExchangeCache}. */
export function createExchangeCache(options: ExchangeCacheOptions): ExchangeCache {
  const exchanges = new Map<string, Exchange>();
  const expired = (exchange: Exchange): boolean => options.now() - exchange.startedAt > options.lifetimeMs;

  function forgetOld(): void {
    for (const [key, exchange] of exchanges) {
      if (exchanges.size <= options.maxExchanges && !expired(exchange)) return;
      exchanges.delete(key);
    }
  }

  return {
    begin(key) {
      const known = exchanges.get(key);
      if (known && !expired(known)) return known.answer ?? "pending";
      exchanges.delete(key);
      exchanges.set(key, { startedAt: options.now(), answer: undefined });
      forgetOld();
      return "new";
    },
    finish(key, answer) {
      const exchange = exchanges.get(key);
      if (exchange) exchange.answer = answer;
    },
  };
}
