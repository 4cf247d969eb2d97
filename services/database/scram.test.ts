import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createScramDirectory, createScramExchange } from "./scram.ts";

const directory = createScramDirectory(new Map([["reader", "a good password"]]));
const hmac = (key: Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

/** A client by RFC 5802, of its own making; `tamper` changes its last message. */
function login(user: string, password: string, tamper: (final: string) => string = (final) => final): string | null {
  const exchange = createScramExchange(directory(user));
  const first = exchange.first("n,,n=,r=clientnonce");
  const [nonce, salt, iterations] = /^r=(.+),s=(.+),i=(\d+)$/.exec(first ?? "")!.slice(1);
  const salted = pbkdf2Sync(password, Buffer.from(salt!, "base64"), Number(iterations), 32, "sha256");
  const clientKey = hmac(salted, "Client Key");
  const withoutProof = `c=biws,r=${nonce}`;
  const signed = `n=,r=clientnonce,${first},${withoutProof}`;
  const signature = hmac(createHash("sha256").update(clientKey).digest(), signed);
  const proof = Buffer.from(clientKey.map((byte, index) => byte ^ signature[index]!)).toString("base64");
  const answer = exchange.final(tamper(`${withoutProof},p=${proof}`));
  if (answer !== null) expect(answer).toBe(`v=${hmac(hmac(salted, "Server Key"), signed).toString("base64")}`);
  return answer;
}

describe("SCRAM-SHA-256", () => {
  it("lets the right password in, and proves that the server knows it", () => {
    expect(login("reader", "a good password")).not.toBeNull();
  });

  it.each([
    ["a wrong password", "reader", "a bad password"],
    ["an unknown user", "nobody", "a good password"],
    ["an empty password", "reader", ""],
  ])("refuses %s", (_, user, password) => {
    expect(login(user, password)).toBeNull();
  });

  it.each([
    ["another nonce", (final: string) => final.replace("r=client", "r=stolen")],
    ["another channel binding", (final: string) => final.replace("c=biws", "c=eSws")],
    ["a proof of another length", (final: string) => final.replace(/p=.*/, "p=AAAA")],
    ["no proof", (final: string) => final.replace(/,p=.*/, "")],
  ])("refuses %s", (_, tamper) => {
    expect(login("reader", "a good password", tamper)).toBeNull();
  });

  it.each(["p=tls-server-end-point,,n=,r=x", "n,,r=x", "n,,n=,r=", "", "n,,m=ext,n=,r=x"])(
    "refuses the first message %j",
    (message) => {
      expect(createScramExchange(directory("reader")).first(message)).toBeNull();
    },
  );

  it("shows an unknown user the same salt every time, as it does a known one", () => {
    const salts = ["nobody", "nobody", "reader", "reader"].map((user) => directory(user).salt.toString("hex"));
    expect(salts[0]).toBe(salts[1]);
    expect(salts[2]).toBe(salts[3]);
    expect(salts[0]).not.toBe(salts[2]);
  });
});
