import { constants } from "node:fs";

/**
 * The WASM runtime asks Node's retired `process.binding("constants")` for the flags of open(2), which the permission model
 * denies. This answers that one question from `node:fs`, and nothing else.
 */
export function answerFileConstants(): void {
  const binding = (name: string): { readonly fs: typeof constants } => {
    if (name !== "constants") throw new Error(`process.binding("${name}") is not to be had`);
    return { fs: constants };
  };
  Object.defineProperty(process, "binding", { value: binding, configurable: true });
}
