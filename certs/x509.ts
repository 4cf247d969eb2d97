import "reflect-metadata";

/** The one door to `@peculiar/x509`, which needs `reflect-metadata` before it. */
export * as x509 from "@peculiar/x509";
