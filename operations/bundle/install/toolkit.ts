/** The command line of a version, as a program of its own: the version that is installed knows how to bring itself up. */
export interface Toolkit {
  /**
   * Brings the deployment up with what lies in that folder, and waits until every component is well.
   * @throws BUNDLE_DEPLOY_FAILED, BUNDLE_SITE_CANCELLED
   */
  readonly deploy: (versionDir: string, stateDir: string, signal: AbortSignal) => Promise<void>;
  /** Whether every component of the deployment is well and nothing differs. */
  readonly isWell: (versionDir: string, stateDir: string, signal: AbortSignal) => Promise<boolean>;
}
