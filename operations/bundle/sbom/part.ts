/** One part of an image or of a toolkit, as a list of parts names it. */
export interface Part {
  readonly type: "library" | "application";
  /** Scope of npm. */
  readonly group?: string | undefined;
  readonly name: string;
  readonly version: string;
  /** Package URL (purl-spec). */
  readonly purl: string;
  /** SPDX expression or identifier, or the words that its makers use. @default unknown */
  readonly licence?: string | undefined;
  readonly hash?: { readonly algorithm: "SHA-256" | "SHA-512"; readonly hex: string } | undefined;
}
