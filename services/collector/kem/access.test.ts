import { expect, it } from "vitest";
import { liveOptions, optionsOf } from "../../runtime/tls.ts";
import { accessOf } from "./access.ts";

const texts = (name: string) => optionsOf({ ca: `${name} ca`, cert: `${name} cert`, key: `${name} key` });
const mtls = { kind: "mtls", host: "custody-broker", port: 7443, servername: "custody-broker.acme" } as const;

it("hands a thread the certificates of now, which change no more", () => {
  const live = liveOptions(texts("first"));
  const access = accessOf(mtls, live.tls);
  live.replace(texts("second"));
  expect(structuredClone(access)).toEqual({ ...mtls, tls: texts("first") });
  expect(accessOf(mtls, live.tls)).toEqual({ ...mtls, tls: texts("second") });
});

it("hands nobody a key who asks a socket", () => {
  const unix = { kind: "unix", socket: "/run/kem" } as const;
  expect(accessOf(unix, texts("first"))).toEqual(unix);
});
