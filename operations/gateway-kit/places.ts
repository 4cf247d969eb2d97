/** Name of the gateway's unit and of its folders on its own machine. */
export const UNIT = "trustkern-gateway";

/** Where a gateway's parts are on its own machine. */
export const PLACES = {
  program: `/opt/${UNIT}`,
  config: `/etc/${UNIT}`,
  state: `/var/lib/${UNIT}`,
  run: `/run/${UNIT}`,
  /** Where systemd shows the unit what root alone may read (systemd.exec(5), LoadCredential=). */
  credentials: `/run/credentials/${UNIT}.service`,
} as const;

/** Files that root alone may read, and the unit is shown: by their names in both folders. */
export const CREDENTIALS = ["device.key", "device.crt", "enrolment.token"] as const;
