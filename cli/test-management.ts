import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { Management } from "../custody/proto/custody_pb.ts";
import { managementHandlers } from "../services/custody/management.ts";
import type { TestKeys } from "../services/custody/test-keys.ts";
import { createGrpcServer } from "../services/runtime/grpc/server.ts";
import { serveUnix } from "../services/runtime/grpc/unix.ts";
import type { CommandContext } from "./command.ts";
import { generationsSite } from "./commands/keys-context.ts";

/** Serves custody's management where the commands that run in `cwd` look for it; the function that it gives ends that. */
export async function serveManagement(cwd: string, { custodian }: TestKeys): Promise<() => Promise<void>> {
  const io = { cwd, env: {}, user: () => "anna", now: () => new Date(0), stderr: () => undefined };
  const { manageSocket } = await generationsSite({ io, flags: {} } as unknown as CommandContext);
  const management = createGrpcServer({ maxMessageBytes: 65_536 });
  management.add(Management, managementHandlers(custodian));
  mkdirSync(dirname(manageSocket), { recursive: true });
  return serveUnix(management, manageSocket);
}
