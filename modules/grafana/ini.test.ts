import { describe, expect, it } from "vitest";
import { fileValue, renderIni } from "./ini.ts";

const INVALID = expect.objectContaining({ code: "GRAFANA_SETTING_INVALID" });

describe("grafana.ini", () => {
  it("has a section for each group of settings, and quotes around what would begin a comment", () => {
    const text = renderIni({
      server: { protocol: "https", http_port: 3000, enable_gzip: false },
      other: { policy: "a;b" },
    });
    expect(text).toBe(
      '[server]\nprotocol = https\nhttp_port = 3000\nenable_gzip = false\n\n[other]\npolicy = """a;b"""\n',
    );
  });

  it.each([
    ["a line break", "a\nadmin_password = b"],
    ["a carriage return", "a\rb"],
    ["a quote", 'a"""b'],
    ["a back-tick", "`a`"],
    ["another setting", "%(admin_password)s"],
    ["a backslash at its end, which joins the next line", "a\\"],
    ["an environment variable", `\${HOME}`],
    ["an environment variable by its function", "$__env{HOME}"],
    ["a file within other text", "a$__file{/etc/passwd}"],
    ["two files", "$__file{/a}$__file{/b}"],
    ["a space at its end", "a "],
  ])("refuses a value with %s", (_, value) => {
    expect(() => renderIni({ security: { admin_user: value } })).toThrow(INVALID);
  });

  it("reports all values that it refuses", () => {
    expect(() => renderIni({ a: { b: "\n" }, c: { d: "`" } })).toThrow(/a\.b .*c\.d /);
  });

  it.each(["/run/a}b", "/run/a\nb", `/run/\${HOME}`, "/run/`a`", ""])("names no file %j", (path) => {
    expect(() => fileValue(path)).toThrow(INVALID);
  });

  it("takes a file's value as it is", () => {
    expect(renderIni({ security: { admin_password: fileValue("/run/secrets/admin.password") } })).toContain(
      "admin_password = $__file{/run/secrets/admin.password}",
    );
  });
});
