import { type CommandContext, printJson } from "../command.ts";

/** A token as the backend gives it once. */
export interface NewToken {
  readonly id: string;
  /** A secret: it is printed once, and nowhere else. */
  readonly token: string;
  readonly expires_at: string;
}

/** Prints a token: alone on stdout, so that it can be piped into a file; what it is goes to stderr. */
export function printToken({ io, flags }: CommandContext, gateway: string, token: NewToken): void {
  if (flags.json) {
    printJson(io, { schema: "trustkern.gateway-token/1", gateway, ...token });
    return;
  }
  io.stderr(`token ${token.id} of ${gateway}, until ${token.expires_at}; it is not shown again\n`);
  io.stdout(`${token.token}\n`);
}
