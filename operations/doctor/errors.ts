import { catalogue, EXIT } from "../../shared/errors.ts";

/** Codes of what `trustkern doctor` finds; it prints findings, and throws none of them. */
export const doctorErrors = catalogue({
  DOCTOR_NOT_CHECKED: {
    exit: EXIT.failed,
    summary: "Something could not be looked at, so nothing is known about it.",
    fix: "mend what the message names, then run `trustkern doctor` again",
  },
  DOCTOR_DOCKER_OLD: {
    exit: EXIT.failed,
    summary: "The Docker Engine or its client is older than 23.0 (a warning) or than 20.10 (a problem).",
    fix: "install a newer Docker Engine (Debian: apt-get install --only-upgrade docker.io)",
  },
  DOCTOR_STORAGE_DRIVER: {
    exit: EXIT.failed,
    summary: "The Docker Engine's storage driver is slow, or gone from newer versions.",
    fix: 'set "storage-driver": "overlay2" in /etc/docker/daemon.json on an ext4 or xfs disk and restart docker; images have to be pulled or built again',
  },
  DOCTOR_DOCKER_LIMITS: {
    exit: EXIT.failed,
    summary: "The kernel lets the Docker Engine enforce no limit of memory, swap, processors or processes.",
    fix: "boot with cgroup_enable=memory swapaccount=1 on the kernel's command line, or with cgroup v2, and restart docker",
  },
  DOCTOR_DOCKER_SECCOMP: {
    exit: EXIT.failed,
    summary: "The Docker Engine filters no system calls of containers.",
    fix: "take seccomp-profile unconfined out of /etc/docker/daemon.json, or use a kernel with CONFIG_SECCOMP_FILTER",
  },
  DOCTOR_DISK_LOW: {
    exit: EXIT.failed,
    summary: "A disk that the deployment writes to is nearly full: below 10 GiB a warning, below 2 GiB a problem.",
    fix: "free space (`docker system df` shows what images take), or move the folder to a larger disk",
  },
  DOCTOR_PORT_TAKEN: {
    exit: EXIT.failed,
    summary: "A port that the deployment publishes is held by something else.",
    fix: "stop what holds it (`ss -lntup` shows it), or ask for another number below ports in trustkern.yaml",
  },
  DOCTOR_PORT_ADDRESS: {
    exit: EXIT.failed,
    summary: "The address that the deployment publishes its ports on is not one of this machine.",
    fix: "set docker.publishAddress in trustkern.yaml to an address that `ip address` shows",
  },
  DOCTOR_CLOCK_UNSYNCHRONISED: {
    exit: EXIT.failed,
    summary: "No time source sets this machine's clock, or none that could be asked.",
    fix: "install a time service (Debian: apt-get install chrony) and wait until `chronyc waitsync` returns; in a virtual machine ask whoever runs the host",
  },
  DOCTOR_CLOCK_APART: {
    exit: EXIT.failed,
    summary: "The Docker Engine's clock and this machine's differ: over 1 s a warning, over 30 s a problem.",
    fix: "synchronise both clocks with one time source, then restart the Docker Engine's virtual machine where it has one",
  },
  DOCTOR_CERTIFICATE_ENDING: {
    exit: EXIT.failed,
    summary: "A certificate ends within 30 days, or within the last third of its life where that is shorter.",
    fix: "run `trustkern certs renew`, and for ever `trustkern certs renew --watch`",
  },
  DOCTOR_RENEWAL_OVERDUE: {
    exit: EXIT.failed,
    summary: "A leaf has a fifth of its life left or less: it should have been renewed at a third, and nothing did.",
    fix: "run `trustkern certs renew`, and for ever `trustkern certs renew --watch`, since nothing on this host does",
  },
  DOCTOR_LIST_ENDING: {
    exit: EXIT.failed,
    summary: "A revocation list ends within 96 h (a warning) or 72 h (a problem); then its class is refused.",
    fix: "run `trustkern certs crl --publish`, and for ever `trustkern certs renew --watch`, which does it in time",
  },
  DOCTOR_LIST_UNREADABLE: {
    exit: EXIT.failed,
    summary: "A file of the state directory that should hold a revocation list holds none that can be read.",
    fix: "restore the file from a copy of the state directory, or run `trustkern doctor` as the user who deployed",
  },
  DOCTOR_ROOT_KEY_NEEDED: {
    exit: EXIT.failed,
    summary: "The root's revocation list is due for its successor within 30 days, and the root's key is elsewhere.",
    fix: "attach the root's key by then, and run `trustkern certs crl --publish`",
  },
  DOCTOR_ROTATION_UNFINISHED: {
    exit: EXIT.failed,
    summary: "A rotation was begun and is not done: old and new are both accepted until it is.",
    fix: "`trustkern certs rotate --status` says who still uses the old; `trustkern certs rotate` goes on",
  },
  DOCTOR_CERTIFICATE_EXPIRED: {
    exit: EXIT.failed,
    summary: "A certificate has ended: nobody accepts it any more.",
    fix: "check the clock, then run `trustkern deploy` (engine embedded: `trustkern up`), which issues leaves anew",
  },
  DOCTOR_CERTIFICATE_EARLY: {
    exit: EXIT.failed,
    summary: "A certificate is not valid yet: the clock is wrong now, or was when the certificate was made.",
    fix: "set the clock right (`timedatectl`, `chronyc makestep`), then run `trustkern doctor` again",
  },
  DOCTOR_CERTIFICATE_UNREADABLE: {
    exit: EXIT.failed,
    summary: "A certificate file of the state directory holds no certificate.",
    fix: "restore the file from a copy of the state directory, or delete a tls.crt and deploy again, which issues it anew",
  },
  DOCTOR_CDK_MISSING: {
    exit: EXIT.failed,
    summary: "The library that renders the docker engine's stack is not installed.",
    fix: "run `npm ci` in the project",
  },
  DOCTOR_CDK_TWO: {
    exit: EXIT.failed,
    summary:
      "cdktf and its successor cdktn are installed side by side: constructs of one are none to the other, and a stack of both fails or loses resources.",
    fix: "`npm explain cdktn` and `npm explain cdktf` show who asks for each; keep one, then run `npm ci`",
  },
  DOCTOR_POLICIES_UNENFORCED: {
    exit: EXIT.failed,
    summary:
      "Nobody is seen in the cluster who enforces network policies: if there is nobody, every pod reaches every other, and only mutual TLS stands between them.",
    fix: "have the cluster run a network plugin that enforces NetworkPolicies, such as Calico or Cilium; `trustkern verify boundary` tries whether one does",
  },
  DOCTOR_IMAGES_UNLOCKED: {
    exit: EXIT.failed,
    summary: "There is no images.lock.yaml beside trustkern.yaml; only profile dev deploys without one.",
    fix: "run `trustkern images lock` (without a registry: `trustkern images build` first)",
  },
  DOCTOR_SWAP_PLAIN: {
    exit: EXIT.failed,
    summary: "Swap is on and not seen to be encrypted: memory with keys and plaintext may be written to that disk.",
    fix: "turn it off (`swapoff -a`, and take it out of /etc/fstab), or put it on dm-crypt with a random key (crypttab(5): swap)",
  },
  DOCTOR_CORE_DUMPS: {
    exit: EXIT.failed,
    summary: "A crash would write a process's memory, with keys and plaintext, to a disk.",
    fix: "turn core dumps off: `sysctl -w 'kernel.core_pattern=|/bin/false'`, and the same line in /etc/sysctl.d/50-core.conf",
  },
  DOCTOR_KEYS_IN_SOFTWARE: {
    exit: EXIT.failed,
    summary: "The deployment accepts that software protects its decryption keys, outside of profile dev.",
    fix: "move to a token or a TPM when the reason has gone: custody.kind and custody.class in trustkern.yaml",
  },
  DOCTOR_KEYS_NOT_IN_ESCROW: {
    exit: EXIT.failed,
    summary: "Nobody holds shares of the decryption keys: with the place that has them, telemetry is lost.",
    fix: "name holders in custody.escrow of trustkern.yaml; docs/guides/custody.md says how",
  },
  DOCTOR_DISK_UNENCRYPTED: {
    exit: EXIT.failed,
    summary: "Nothing proves that the disk below a folder with keys or telemetry is encrypted.",
    fix: "put the folder on dm-crypt (`cryptsetup luksFormat`), or have whoever runs the storage below this machine confirm its encryption",
  },
});

/** One code of {@link doctorErrors}. */
export type DoctorCode = keyof typeof doctorErrors.entries;
