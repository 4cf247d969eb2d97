import { stringify } from "yaml";

/** The provisioning file of the dashboards: those in `folder`, which nobody changes or deletes in the browser. */
export function renderProvider(folder: string): string {
  return stringify({
    apiVersion: 1,
    providers: [
      {
        name: "trustkern",
        orgId: 1,
        folder: "TrustKern",
        folderUid: "trustkern",
        type: "file",
        disableDeletion: true,
        allowUiUpdates: false,
        updateIntervalSeconds: 3600,
        options: { path: folder, foldersFromFilesStructure: false },
      },
    ],
  });
}
