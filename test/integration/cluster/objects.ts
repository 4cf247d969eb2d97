/** Objects that the test puts into a cluster. */

const RESTRICTED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
};

/** A namespace that takes what the Pod Security Standard `restricted` allows, and nothing else. */
export function restrictedNamespace(name: string): object {
  const labels = Object.fromEntries(
    ["enforce", "audit", "warn"].map((mode) => [`pod-security.kubernetes.io/${mode}`, "restricted"]),
  );
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}

/** What a pod does: a program in JavaScript, with its volumes by their paths. */
export interface PodRequest {
  readonly name: string;
  readonly namespace: string;
  readonly image: string;
  readonly script: string;
  /** Claims by the paths that they are mounted at. @default none */
  readonly claims?: Readonly<Record<string, string>>;
  /** @default false */
  readonly privileged?: boolean;
}

/** A pod that runs once, as `restricted` wants it unless it is privileged. */
export function pod({ name, namespace, image, script, claims = {}, privileged = false }: PodRequest): object {
  const mounts = Object.entries(claims);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 1,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 10001,
        runAsGroup: 10001,
        fsGroup: 10001,
        seccompProfile: { type: "RuntimeDefault" },
      },
      containers: [
        {
          name: "main",
          image,
          imagePullPolicy: "Never",
          command: ["/usr/bin/node", "-e", script],
          securityContext: privileged ? { privileged } : RESTRICTED,
          volumeMounts: mounts.map(([mountPath, claim]) => ({ name: claim, mountPath })),
        },
      ],
      volumes: mounts.map(([, claimName]) => ({ name: claimName, persistentVolumeClaim: { claimName } })),
    },
  };
}

/** A Service for the pods of that name. */
export function service(name: string, namespace: string, port: number): object {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace },
    spec: { selector: { app: name }, ports: [{ port }] },
  };
}

/** A claim of the class that is the cluster's default. */
export function claim(name: string, namespace: string): object {
  const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
  return { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name, namespace }, spec };
}
