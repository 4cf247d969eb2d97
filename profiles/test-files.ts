import type { ProfileName } from "../model/deployment.ts";

const token = (label: string) => ({ kind: "pkcs11", module: "/usr/lib/token.so", token: label, pinFile: "/etc/pin" });
const pki = { issuing: token("issuing") };
const escrow = { threshold: 2, holders: ["a", "b"].map((name) => ({ name, operator: "customer" })) };
const registry = { host: "registry.example", port: 443, protocol: "tcp", purpose: "images", region: "eu-central-1" };
const account = "123456789012";

/** For tests: of each profile, a file that breaks no line and says little more than it must, as a value. Engine docker. */
export const LEAST_FILES: Readonly<Record<ProfileName, Readonly<Record<string, object | string>>>> = {
  dev: { name: "demo", tenant: "acme", profile: "dev", engine: "docker" },
  "eu-hosted": {
    ...{ name: "demo", tenant: "acme", profile: "eu-hosted", engine: "docker", pki, custody: token("custody") },
    hosting: { region: "eu-central-1", account },
    images: { signedBy: "/etc/trustkern/images.pub" },
    egress: { allow: [registry] },
  },
  "customer-tenant": {
    ...{ name: "demo", tenant: "acme", profile: "customer-tenant", engine: "docker", pki },
    custody: { ...token("custody"), owner: "customer" },
    hosting: { region: "us-east-1", account },
    images: { mirror: "registry.example" },
    egress: { allow: [registry] },
  },
  "air-gapped": {
    ...{ name: "demo", tenant: "acme", profile: "air-gapped", engine: "docker", pki },
    custody: { ...token("custody"), escrow },
  },
};

/** A file with one value replaced, or taken out where it is undefined; what lies between is made. */
export function withValue(file: object, path: string, value: unknown): Record<string, unknown> {
  const [first = "", ...rest] = path.split(".");
  const old: unknown = Reflect.get(file, first);
  const inner = typeof old === "object" && old !== null ? old : {};
  const replaced = rest.length === 0 ? value : withValue(inner, rest.join("."), value);
  return { ...file, [first]: replaced };
}
