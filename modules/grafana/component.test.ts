import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Placement } from "../../model/placement.ts";
import { defaultDeployment } from "../../profiles/resolve.ts";
import { grafana } from "./component.ts";
import { DATASOURCES } from "./datasources.ts";

const deployment = { ...defaultDeployment(), engine: "docker", ports: { "grafana.https": 13_000 } } as const;
const placement: Placement = {
  endpoint: (component, port) => ({
    host: `${component}.demo.trustkern.internal`,
    port: { postgres: 5432, https: 3000 }[port] ?? 0,
    servername: `${component}.demo.trustkern.internal`,
  }),
  secretFile: (_, secret) => `/run/secrets/${secret}`,
  volumeDir: (_, volume) => `/var/lib/trustkern/${volume}`,
  configFile: (_, file) => `/etc/trustkern/${file}`,
  socket: (component, socket) => `/run/trustkern/${component}.${socket}/sock`,
  listenAddresses: () => ["0.0.0.0"],
};
const component = grafana(deployment, placement);
const content = (file: string) => component.files.find(({ path }) => path === `/etc/trustkern/${file}`)?.content ?? "";
const ini = content("grafana.ini");
const setting = (section: string, name: string) => {
  const lines = ini.split(`[${section}]\n`)[1]?.split("\n[")[0]?.split("\n") ?? [];
  return lines.find((line) => line.startsWith(`${name} = `))?.slice(name.length + 3);
};

describe("Grafana", () => {
  it.each([
    ["server", "protocol", "https"],
    ["server", "min_tls_version", "TLS1.3"],
    ["server", "root_url", "https://grafana.demo.trustkern.internal:13000/"],
    ["security", "admin_password", "$__file{/run/secrets/admin.password}"],
    ["security", "secret_key", "$__file{/run/secrets/encryption.key}"],
    ["security", "cookie_secure", "true"],
    ["security", "strict_transport_security", "true"],
    ["security", "content_security_policy", "true"],
    ["security", "allow_embedding", "false"],
    ["auth.anonymous", "enabled", "false"],
    ["users", "allow_sign_up", "false"],
    ["users", "auto_assign_org_role", "Viewer"],
  ])("says %s.%s = %s", (section, name, value) => {
    expect(setting(section, name)).toBe(value);
  });

  it.each([
    ["unified_alerting", "enabled", "false"],
    ["smtp", "enabled", "false"],
    ["snapshots", "external_enabled", "false"],
    ["public_dashboards", "enabled", "false"],
    ["analytics", "reporting_enabled", "false"],
    ["analytics", "check_for_updates", "false"],
    ["analytics", "check_for_plugin_updates", "false"],
    ["news", "news_feed_enabled", "false"],
    ["security", "disable_gravatar", "true"],
    ["plugins", "plugin_admin_enabled", "false"],
    ["plugins", "preinstall_disabled", "true"],
    ["metrics", "enabled", "false"],
  ])("cannot carry anything out of the boundary by %s.%s = %s", (section, name, value) => {
    expect(setting(section, name)).toBe(value);
  });

  it("lets a browser fetch nothing from another host", () => {
    const policy = setting("security", "content_security_policy_template") ?? "";
    expect(policy).toContain("connect-src 'self';");
    expect(policy).not.toMatch(/\*|https?:|wss?:|grafana\.com/);
  });

  it("overrides every path that the image has in its environment, and writes to its volume and its scratch alone", () => {
    const { GF_PATHS_CONFIG, GF_PATHS_PROVISIONING, ...writable } = component.environment ?? {};
    expect(GF_PATHS_CONFIG).toBe("/etc/trustkern/grafana.ini");
    expect(GF_PATHS_PROVISIONING).toBe("/etc/trustkern/provisioning");
    expect(Object.keys(writable).sort()).toEqual(["GF_PATHS_DATA", "GF_PATHS_LOGS", "GF_PATHS_PLUGINS"]);
    const folders = [...component.volumes, ...component.scratch].map(({ path }) => path);
    expect(Object.values(writable).every((path) => folders.some((folder) => path.startsWith(folder)))).toBe(true);
    expect(ini).not.toContain("[paths]");
  });

  it("uses every secret that it names, names every path that it uses, and has no secret in a file", () => {
    const text = component.files.map((file) => file.content).join("\n");
    const said = [
      ...`${text} ${component.health.kind === "command" ? component.health.command.join(" ") : ""}`.matchAll(
        /\/run\/secrets\/[\w.]+/g,
      ),
    ];
    const secrets = component.secrets.map(({ file }) => file).sort();
    expect([...new Set(said.map(([path]) => path))].sort()).toEqual(secrets);
    expect(component.files.every(({ mode }) => mode === 0o600)).toBe(true);
    expect(text).not.toMatch(/PRIVATE KEY|password: (?!\$__file)/);
  });

  it("asks for its health over TLS 1.3, and believes no certificate but the deployment's", () => {
    const command: readonly string[] = component.health.kind === "command" ? component.health.command : [];
    expect(command).toContain("--tlsv1.3");
    expect(command[command.indexOf("--cacert") + 1]).toBe("/run/secrets/ca.crt");
    expect(command.filter((word) => /^(-k|--insecure|--proxy-insecure)$/.test(word))).toEqual([]);
    expect(command.at(-1)).toBe("https://grafana.demo.trustkern.internal:3000/api/health");
  });

  it("needs no exception from the hardened default", () => {
    expect(component.exceptions).toEqual([]);
  });
});

describe("its data sources", () => {
  interface Source {
    readonly uid: string;
    readonly type: string;
    readonly url: string;
    readonly editable: boolean;
    readonly access: string;
    readonly user?: string;
    readonly jsonData: Readonly<Record<string, unknown>>;
    readonly secureJsonData: Readonly<Record<string, string>>;
  }
  const sources = parse(content("provisioning/datasources/trustkern.yaml")).datasources as readonly Source[];
  const [database, ...others] = sources;

  it("are the ones that dashboards may name, and nobody edits them", () => {
    expect(sources.map(({ uid, type }) => ({ uid, type }))).toEqual(Object.values(DATASOURCES));
    expect(sources.map(({ editable, access }) => [editable, access])).toEqual(sources.map(() => [false, "proxy"]));
  });

  it("ask the database as the role that only reads, and believe no other database", () => {
    expect(database?.user).toBe("reader");
    expect(database?.url).toBe("database.demo.trustkern.internal:5432");
    expect(database?.jsonData).toMatchObject({ sslmode: "verify-full", sslRootCertFile: "/run/secrets/ca.crt" });
  });

  it("show Loki and Prometheus a certificate, and believe no other", () => {
    expect(others.map(({ url }) => url)).toEqual([
      "https://loki.demo.trustkern.internal:3000",
      "https://prometheus.demo.trustkern.internal:3000",
    ]);
    for (const { jsonData, url } of others) {
      expect(jsonData).toMatchObject({ tlsAuth: true, tlsAuthWithCACert: true, tlsSkipVerify: false });
      expect(jsonData.serverName).toBe(new URL(url).hostname);
    }
  });

  it("read every secret from a file", () => {
    const values = sources.flatMap(({ secureJsonData }) => Object.values(secureJsonData));
    expect(values).toHaveLength(7);
    expect(values.filter((value) => !/^\$__file\{\/run\/secrets\/[\w.]+\}$/.test(value))).toEqual([]);
  });
});
