/** A socket of the host that a container is given: what is mounted is its folder, so that it has a folder of its own. */
export const HOST_SOCKET = /^(?=.{1,107}$)\/(?:[A-Za-z0-9_][A-Za-z0-9._-]*\/){2,}sock$/;

/** {@link HOST_SOCKET} in words. */
export const HOST_SOCKET_TEXT =
  "an absolute path that ends in /sock, in a folder of its own, such as /run/trustkern-demo/sock";

/** The sockets of a deployment's tokens where its file names none: the online authorities', and custody's. */
export function tokenSockets(name: string): { readonly tokenSocket: string; readonly custodySocket: string } {
  return { tokenSocket: `/run/trustkern-${name}/sock`, custodySocket: `/run/trustkern-${name}-custody/sock` };
}

/** A TPM behind the kernel's resource manager, which several processes can use. */
export const TPM_DEVICE = /^\/dev\/tpmrm\d{1,2}$/;
