import { connect } from "node:net";

/** Whether a living process listens on a Unix socket; false for one that a dead process left behind, and where there is none. */
export function socketAnswers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
