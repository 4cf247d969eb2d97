// What runs in a pod, by the Node that is there: each function goes over as its text, so that it may name nothing beyond itself
// and what Node has. Each hands back JSON, one value at a time.

/** Something to connect to. */
export interface InsideTarget {
  /** An address, or a name that is looked up where it is asked from. */
  readonly host: string;
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  /** Longest wait for its answer, in milliseconds. */
  readonly timeoutMs: number;
}

/** What a pod is asked. */
export interface InsideQuestion {
  readonly reach: readonly InsideTarget[];
  /** Names of which is told whether they have an address. */
  readonly names: readonly string[];
  /** Files whose digests are told. */
  readonly files: readonly string[];
}

/** What became of one attempt at one address. */
export interface InsideReached {
  readonly address: string;
  readonly reached: "connected" | "refused" | "unreachable" | "silent";
}

/** What a pod answers. */
export interface InsideAnswer {
  /** The kernel's tables of sockets, by their names in `/proc/net`. */
  readonly tables: Readonly<Record<string, string>>;
  /** Addresses of the pod, loopback left out. */
  readonly addresses: readonly string[];
  /** Whom it asks for names, and where its environment says that the API server is. */
  readonly resolvers: readonly string[];
  readonly api: { readonly host: string; readonly port: number } | null;
  /** In the order of the question, at each address of the host; none where its name has none. */
  readonly reach: readonly (readonly InsideReached[])[];
  readonly names: readonly boolean[];
  /** SHA-256 of each file in hex, or the code of why it cannot be read. */
  readonly files: readonly string[];
}

/** Looks at the network of a pod. */
export async function* lookInside(question: InsideQuestion): AsyncIterable<InsideAnswer> {
  const fs = process.getBuiltinModule("node:fs");
  const net = process.getBuiltinModule("node:net");
  const dgram = process.getBuiltinModule("node:dgram");
  const { lookup } = process.getBuiltinModule("node:dns/promises");
  const { networkInterfaces } = process.getBuiltinModule("node:os");
  const { createHash } = process.getBuiltinModule("node:crypto");
  const tables = Object.fromEntries(
    ["tcp", "tcp6", "udp", "udp6"].map((name) => {
      try {
        return [name, fs.readFileSync(`/proc/net/${name}`, "utf8")];
      } catch {
        // A kernel without IPv6 has no tables of it.
        return [name, ""];
      }
    }),
  );
  const wordOf = (code: string | undefined) =>
    code === "ECONNREFUSED" || code === "ECONNRESET" ? ("refused" as const) : ("unreachable" as const);
  const once = (
    timeoutMs: number,
    begin: (end: (reached: InsideReached["reached"]) => void) => () => void,
  ): Promise<InsideReached["reached"]> =>
    new Promise((resolve) => {
      let over = false;
      const end = (reached: InsideReached["reached"]): void => {
        if (over) return;
        over = true;
        clearTimeout(timer);
        close();
        resolve(reached);
      };
      const timer = setTimeout(() => end("silent"), timeoutMs);
      const close = begin(end);
    });
  const tcp = (host: string, port: number, timeoutMs: number) =>
    once(timeoutMs, (end) => {
      const socket = net.connect({ host, port });
      socket.once("connect", () => end("connected"));
      socket.once("error", (error: NodeJS.ErrnoException) => end(wordOf(error.code)));
      return () => socket.destroy();
    });
  const udp = (host: string, port: number, timeoutMs: number) =>
    once(timeoutMs, (end) => {
      const socket = dgram.createSocket(host.includes(":") ? "udp6" : "udp4");
      socket.once("message", () => end("connected"));
      socket.on("error", (error: NodeJS.ErrnoException) => end(wordOf(error.code)));
      // A CoAP ping (RFC 7252, section 4.3), which every endpoint answers with a reset.
      socket.connect(port, host, () => socket.send(Buffer.from("40000001", "hex"), () => undefined));
      return () => socket.close();
    });
  const addressesOf = async (host: string): Promise<readonly string[]> => {
    if (net.isIP(host) !== 0) return [host];
    return (await lookup(host, { all: true }).catch(() => [])).map(({ address }) => address);
  };
  const attempt = async ({ host, port, protocol, timeoutMs }: InsideTarget) =>
    Promise.all(
      (await addressesOf(host)).map(async (address) => ({
        address,
        reached: await (protocol === "tcp" ? tcp : udp)(address, port, timeoutMs),
      })),
    );
  const digestOf = (path: string): string => {
    try {
      return createHash("sha256").update(fs.readFileSync(path)).digest("hex");
    } catch (thrown) {
      return (thrown as NodeJS.ErrnoException).code ?? "unreadable";
    }
  };
  const [reach, names] = await Promise.all([
    Promise.all(question.reach.map(attempt)),
    Promise.all(question.names.map(async (name) => (await addressesOf(name)).length > 0)),
  ]);
  const addresses = Object.values(networkInterfaces()).flatMap((each) =>
    (each ?? []).flatMap(({ address, internal }) => (internal ? [] : [address])),
  );
  const resolvers = [...fs.readFileSync("/etc/resolv.conf", "utf8").matchAll(/^nameserver\s+(\S+)/gm)];
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
  yield {
    tables,
    addresses,
    resolvers: resolvers.map(([, address = ""]) => address),
    api: host === undefined ? null : { host, port: Number(port) },
    reach,
    names,
    files: question.files.map(digestOf),
  };
}

/** Which files are handed over. */
export interface FilesQuestion {
  readonly folders: readonly string[];
  /** Milliseconds since the Unix epoch: what nobody has touched since is only told. */
  readonly since: number;
  /** Bytes of a part. */
  readonly partBytes: number;
}

/** A part of a file, with the bytes in base64; or what is left out, and why. */
export type FilesAnswer =
  | { readonly path: string; readonly bytes: string; readonly last: boolean }
  | { readonly path: string; readonly old: true }
  | { readonly path: string; readonly why: string };

/** Hands over the files below folders; links are not followed. */
export async function* readFiles({ folders, since, partBytes }: FilesQuestion): AsyncIterable<FilesAnswer> {
  const fs = process.getBuiltinModule("node:fs");
  const gone = ["ENOENT", "ENOTDIR"];
  const waiting = [...folders];
  const roots = new Set(folders);
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    try {
      const found = fs.lstatSync(path);
      if (found.isDirectory()) {
        for (const name of fs.readdirSync(path)) waiting.push(`${path}/${name}`);
        continue;
      }
      if (!found.isFile()) continue;
      if (found.ctimeMs < since) {
        yield { path, old: true };
        continue;
      }
      const file = fs.openSync(path, "r");
      try {
        const part = Buffer.alloc(partBytes);
        for (let last = false; !last; ) {
          const length = fs.readSync(file, part);
          last = length < partBytes;
          yield { path, bytes: part.toString("base64", 0, length), last };
        }
      } finally {
        fs.closeSync(file);
      }
    } catch (thrown) {
      const { code = "unreadable" } = thrown as NodeJS.ErrnoException;
      // What is gone between being listed and being read; a folder that is not there at all cannot be looked at.
      if (roots.has(path) || !gone.includes(code)) yield { path, why: code };
    }
  }
}

/** Datagrams that are sent, each from a socket of its own. */
export interface DatagramQuestion {
  readonly port: number;
  /** In hex. */
  readonly bytes: string;
  /** How long an answer is waited for, and after how long it is sent again; in milliseconds. */
  readonly timeoutMs: number;
  readonly againMs: number;
}

/** What came back in hex, or why nothing did. */
export type DatagramAnswer = { readonly bytes: string } | { readonly why: string };

/** Sends a CoAP request to a port of the pod itself, and waits for the response; an empty acknowledgement is none. */
export async function* sendDatagram(question: DatagramQuestion): AsyncIterable<DatagramAnswer> {
  const dgram = process.getBuiltinModule("node:dgram");
  const request = Buffer.from(question.bytes, "hex");
  yield await new Promise<DatagramAnswer>((resolve) => {
    const socket = dgram.createSocket("udp4");
    const send = (): void => socket.send(request, () => undefined);
    const again = setInterval(send, question.againMs);
    const end = (answer: DatagramAnswer): void => {
      clearInterval(again);
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => end({ why: "no answer" }), question.timeoutMs);
    socket.once("error", (error: NodeJS.ErrnoException) => end({ why: error.code ?? error.message }));
    socket.on("message", (answer) => {
      if (answer[1] !== 0) end({ bytes: answer.toString("hex") });
    });
    socket.connect(question.port, "127.0.0.1", send);
  });
}
