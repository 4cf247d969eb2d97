import { connect } from "node:net";

/** Whether a living process listens on a Unix socket; false for one that a dead process left behind, and where there is none. */
export async function socketAnswers(path: string): Promise<boolean> {
  return (await knock(path)) === "answered";
}

/** Whether a Unix socket is what a dead process left behind; false also where that cannot be told. */
export async function socketIsDead(path: string): Promise<boolean> {
  return (await knock(path)) === "ECONNREFUSED";
}

function knock(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve("answered");
    });
    socket.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code));
  });
}
