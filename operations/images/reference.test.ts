import { describe, expect, it } from "vitest";
import { KNOWN_IMAGES } from "./known-images.ts";
import { inRegistry, manifestUrl, parseReference, pinned } from "./reference.ts";

const urlOf = (text: string): string => manifestUrl(parseReference(text)).href;
const invalid = expect.objectContaining({ code: "IMAGES_REFERENCE_INVALID" });

describe("parseReference", () => {
  it("gives an image without a host to the default registry, an official one to its library", () => {
    expect(parseReference("eclipse-mosquitto:2.0.22")).toEqual({
      host: "docker.io",
      repository: "library/eclipse-mosquitto",
      tag: "2.0.22",
    });
    expect(parseReference("grafana/loki:3.7.8").repository).toBe("grafana/loki");
  });

  it("takes a first part with a dot or a port, or localhost, for a host", () => {
    expect(parseReference("registry.example:5000/a/b:1")).toEqual({
      host: "registry.example:5000",
      repository: "a/b",
      tag: "1",
    });
    expect(parseReference("localhost/a:1").host).toBe("localhost");
    expect(parseReference("mirror:5000/a:1").host).toBe("mirror:5000");
  });

  it("reads every upstream reference of the known images", () => {
    for (const { upstream } of Object.values(KNOWN_IMAGES)) if (upstream) expect(parseReference(upstream)).toBeTruthy();
  });

  it.each([
    ["no tag", "grafana/grafana"],
    ["an empty tag", "grafana/grafana:"],
    ["a digest", `grafana/grafana@sha256:${"a".repeat(64)}`],
    ["a tag and a digest", `grafana/grafana:1@sha256:${"a".repeat(64)}`],
    ["upper case", "Grafana/grafana:1"],
    ["a way out of the repository", "a/../b:1"],
    ["a URL", "https://registry.example/a:1"],
    ["a query", "a/b:1?x=1"],
    ["white space", "a/b: 1"],
    ["an option", "--privileged:1"],
    ["nothing", ""],
    ["a tag of 129 characters", `a:${"t".repeat(129)}`],
  ])("refuses %s", (_, text) => {
    expect(() => parseReference(text)).toThrow(invalid);
  });
});

describe("manifestUrl", () => {
  it("asks over TLS", () => {
    expect(urlOf("registry.example/a/b:1")).toBe("https://registry.example/v2/a/b/manifests/1");
    expect(urlOf("a/b:1")).toMatch(/^https:\/\/[^/]+\/v2\/a\/b\/manifests\/1$/);
  });

  it("asks without TLS on this machine alone", () => {
    expect(urlOf("127.0.0.1:5000/a:1")).toMatch(/^http:/);
    expect(urlOf("localhost:5000/a:1")).toMatch(/^http:/);
    expect(urlOf("127.0.0.1.example:5000/a:1")).toMatch(/^https:/);
    expect(urlOf("localhost.example/a:1")).toMatch(/^https:/);
    expect(urlOf("10.0.0.1:5000/a:1")).toMatch(/^https:/);
  });
});

describe("inRegistry", () => {
  it("keeps repository and tag, and leaves the host and the library out", () => {
    expect(inRegistry("eclipse-mosquitto:2", "mirror.example/hub")).toBe("mirror.example/hub/eclipse-mosquitto:2");
    expect(inRegistry("other.example/a/b:1", "mirror.example")).toBe("mirror.example/a/b:1");
  });
});

describe("pinned", () => {
  it("puts the digest in the place of the tag, and not of a port", () => {
    const digest = `sha256:${"a".repeat(64)}`;
    expect(pinned("localhost:5000/a/b:1", digest)).toBe(`localhost:5000/a/b@${digest}`);
  });
});
