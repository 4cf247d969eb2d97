import { describe, expect, it } from "vitest";
import { renderTokenUnit, renderUnit } from "./systemd-unit.ts";

const request = {
  deployment: "demo",
  program: "/opt/trustkern/trustkern",
  file: "/srv/demo/trustkern.yaml",
  dir: "/srv/demo/.trustkern",
  runDir: "/srv/demo/.trustkern/run",
  user: "root",
  signer: "ab".repeat(32),
};

describe("the unit that unseals custody after a boot", () => {
  it("names the key that may have signed, where only root can change it", () => {
    expect(renderUnit(request)).toContain(
      `ExecStart=/opt/trustkern/trustkern keys unseal --watch --signer ${request.signer} -f /srv/demo/trustkern.yaml --dir /srv/demo/.trustkern\n`,
    );
  });

  it.each(["After=docker.service", "Type=simple", "Restart=on-abnormal", "LimitCORE=0", "NoNewPrivileges=yes"])(
    "says %s",
    (line) => {
      expect(renderUnit(request).split("\n")).toContain(line);
    },
  );

  it("shares the temporary folder only where the sockets are in it", () => {
    expect(renderUnit(request)).toContain("PrivateTmp=yes\n");
    const elsewhere = renderUnit({ ...request, runDir: "/tmp/tk-0123456789ab" });
    expect(elsewhere).toContain("PrivateTmp=no\n");
    expect(elsewhere).toContain("ReadWritePaths=/srv/demo/.trustkern /tmp/tk-0123456789ab\n");
  });

  it.each([
    ["/srv/my plant/x", '"/srv/my plant/x"'],
    ["/srv/100%/x", "/srv/100%%/x"],
    ["/srv/$HOME/x", "/srv/$$HOME/x"],
    ['/srv/a"b/x', '"/srv/a\\"b/x"'],
  ])("hands %s on as one word that means nothing else", (file, word) => {
    expect(renderUnit({ ...request, file })).toContain(` -f ${word} --dir `);
  });
});

describe("the unit that serves the token of the decryption keys", () => {
  const token = { ...request, socket: "/run/trustkern-demo-custody/sock" };

  it("has the socket's folder below /run, for longer than it runs", () => {
    const unit = renderTokenUnit(token);
    expect(unit).toContain("RuntimeDirectory=trustkern-demo-custody\n");
    expect(unit).toContain("RuntimeDirectoryPreserve=yes\n");
    expect(renderTokenUnit({ ...token, socket: "/srv/own/sock" })).not.toContain("RuntimeDirectory");
  });

  it("does not try a PIN again that the token refused", () => {
    expect(renderTokenUnit(token)).toContain("RestartPreventExitStatus=3\n");
  });

  it("runs the command with the file as one word, and leaves no core", () => {
    const unit = renderTokenUnit({ ...token, file: "/srv/my plant/x" });
    expect(unit).toContain('ExecStart=/opt/trustkern/trustkern keys token-server -f "/srv/my plant/x"\n');
    expect(unit).toContain("LimitCORE=0\n");
  });
});
