/** What `inside.ts` is asked. */
export interface Asked {
  readonly what: "rows" | "provision";
  /** Deployment file. */
  readonly file: string;
  /** State directory. */
  readonly dir: string;
  readonly temporaryDir: string;
  /** Control socket of the simulator. */
  readonly simulator: string;
}
