import { expect, it } from "vitest";
import { kubernetesLifeErrors } from "./errors.ts";
import { roomyCluster } from "./test-cluster.ts";
import { clusterVersion } from "./version.ts";

const answering = (status: number, body: unknown) => {
  const cluster = roomyCluster();
  cluster.answers.set("GET /version", { status, body });
  return clusterVersion(cluster.api);
};

it("is what the API server says, with a platform's own ending", async () => {
  const body = { major: "1", minor: "33+", gitVersion: "v1.33.2-platform.7", platform: "linux/amd64" };
  expect(await answering(200, body)).toEqual({ major: "1", minor: "33+", gitVersion: "v1.33.2-platform.7" });
});

it.each([
  ["a user who may not ask", 403, { message: 'User "x" cannot get path "/version"' }, "CLUSTER_DENIED"],
  ["a user whom it does not know", 401, { message: "Unauthorized" }, "CLUSTER_DENIED"],
  ["a server that is overloaded", 503, {}, "CLUSTER_UNREACHABLE"],
  ["something else that answers", 404, { message: "<html>" }, "CLUSTER_REJECTED"],
  ["a server that says nothing", 200, {}, "CLUSTER_TOO_OLD"],
  ["a server that says an empty version", 200, { major: "1", minor: "34", gitVersion: "" }, "CLUSTER_TOO_OLD"],
  ["a version that is no text", 200, { major: "1", minor: "34", gitVersion: 34 }, "CLUSTER_TOO_OLD"],
  ["no object", 200, null, "CLUSTER_TOO_OLD"],
])("is none of %s", async (_, status, body, code) => {
  await expect(answering(status, body)).rejects.toMatchObject({ code });
});

it("is none where the server is away", async () => {
  const away = () => Promise.reject(kubernetesLifeErrors.error("CLUSTER_UNREACHABLE", "away"));
  await expect(clusterVersion({ ask: away })).rejects.toMatchObject({ code: "CLUSTER_UNREACHABLE" });
});
