import { isDeepStrictEqual } from "node:util";
import { messageOf } from "../../shared/errors.ts";
import { runtimeErrors } from "./errors.ts";
import type { SecurityEventInput } from "./security-events.ts";
import {
  type LiveTls,
  liveOptions,
  optionsOf,
  readTlsTexts,
  type Tls13Options,
  type TlsFiles,
  type TlsTexts,
} from "./tls.ts";
import { brokenTls, describeTls, type TlsProblem, type TlsStatus, tlsProblem } from "./tls-set.ts";

/** The identities of one process, each as the newest good state of its files. */
export interface TlsWatcher {
  /**
   * Options that change with the files; the same files give the same options.
   * @param alsoTrusted further anchors (PEM) that a changed chain may lead to, where the files are not the last word. @default none
   * @throws SERVICE_FILE_UNREADABLE
   * @throws SERVICE_TLS_INVALID when a text is damaged, or the key is another's
   */
  readonly open: (files: TlsFiles, alsoTrusted?: () => string) => Tls13Options;
  /** What is in force of the files that were opened first; undefined before. */
  readonly status: () => TlsStatus | undefined;
  /** Looks at the files now. */
  readonly poll: () => void;
  readonly stop: () => void;
}

/** What {@link createTlsWatcher} is handed. */
export interface TlsWatcherOptions {
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Told of each set that was taken, and once of each that was not. */
  readonly onEvent: (event: SecurityEventInput) => void;
  /** @default 5000 */
  readonly intervalMs?: number;
}

interface Watched {
  readonly files: TlsFiles;
  readonly alsoTrusted: () => string;
  readonly live: LiveTls;
  held: { readonly texts: TlsTexts; readonly status: TlsStatus };
  /** What was found instead at the last look, and whether that was told. */
  refused: { readonly found: TlsTexts | string; told: boolean } | null;
}

/**
 * Watches files by their content. A set is taken when all of it fits: its key is the leaf's, its chain leads to one of its
 * anchors, its dates hold. Until then the old set stays, so that no order of writes leaves a service with half of each. What is
 * still refused at the next look is told: between two writes of a renewal there is nothing to tell.
 */
export function createTlsWatcher({ now, onEvent, intervalMs = 5000 }: TlsWatcherOptions): TlsWatcher {
  const opened = new Map<string, Watched>();

  function look(watched: Watched): void {
    const { found, problem } = lookAt(watched, now());
    if (isDeepStrictEqual(found, watched.held.texts)) {
      watched.refused = null;
    } else if (problem === null && typeof found !== "string") {
      watched.refused = null;
      watched.held = { texts: found, status: describeTls(found) };
      watched.live.replace(optionsOf(found));
      onEvent({ kind: "CERT_RENEWED", object: watched.held.status.serial, reason: "reloaded" });
    } else {
      refuse(watched, found, problem ?? "unreadable");
    }
  }

  function refuse(watched: Watched, found: TlsTexts | string, reason: TlsProblem | "unreadable"): void {
    if (!isDeepStrictEqual(found, watched.refused?.found)) {
      watched.refused = { found, told: false };
    } else if (watched.refused && !watched.refused.told) {
      watched.refused.told = true;
      onEvent({ kind: "AUTH_FAILED", object: watched.files.certFile, reason: `tls-files-${reason}` });
    }
  }

  const poll = (): void => {
    for (const watched of opened.values()) look(watched);
  };
  const timer = setInterval(poll, intervalMs).unref();
  return {
    open: (files, alsoTrusted = () => "") => {
      const name = JSON.stringify([files.caFile, files.certFile, files.keyFile, files.crlFile]);
      const known = opened.get(name);
      if (known) return known.live.tls;
      const texts = readWhole(files);
      const live = liveOptions(optionsOf(texts));
      opened.set(name, { files, alsoTrusted, live, held: { texts, status: describeTls(texts) }, refused: null });
      return live.tls;
    },
    status: () => opened.values().next().value?.held.status,
    poll,
    stop: () => clearInterval(timer),
  };
}

function lookAt(
  { files, alsoTrusted }: Pick<Watched, "files" | "alsoTrusted">,
  atMs: number,
): { found: TlsTexts | string; problem: TlsProblem | null } {
  try {
    const found = readTlsTexts(files);
    return { found, problem: tlsProblem({ ...found, ca: `${found.ca}\n${alsoTrusted()}` }, atMs) };
  } catch (thrown) {
    return { found: messageOf(thrown), problem: null };
  }
}

function readWhole(files: TlsFiles): TlsTexts {
  const texts = readTlsTexts(files);
  const problem = brokenTls(texts);
  if (problem === null) return texts;
  const why = problem === "corrupt" ? "a file is damaged" : "the key is not the certificate's";
  throw runtimeErrors.error("SERVICE_TLS_INVALID", `${why}; accepted: PEM files that belong together`, {
    path: files.certFile,
  });
}
