import {
  create,
  type DescMessage,
  type DescService,
  fromBinary,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { GenService, GenServiceMethods } from "@bufbuild/protobuf/codegenv2";
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";

/** The methods of a generated service. */
export type Methods = GenServiceMethods;

/** The methods of a generated service's constant, such as `MethodsOf<typeof Kem>`. */
export type MethodsOf<S> = S extends GenService<infer M> ? M : never;

/** Stands for a request that is no message of its type. */
export const MALFORMED = Symbol("malformed");

/**
 * What gRPC needs to know of one unary method. A request that does not parse is {@link MALFORMED}: whoever
 * serves it says so in its own words, where the library would answer `INTERNAL`.
 */
export function methodDefinition<I extends DescMessage, O extends DescMessage>(
  service: { readonly typeName: string },
  { name, input, output }: { readonly name: string; readonly input: I; readonly output: O },
): MethodDefinition<MessageShape<I> | typeof MALFORMED, MessageShape<O>> {
  return {
    path: `/${service.typeName}/${name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: (message) => Buffer.from(toBinary(input, message === MALFORMED ? create(input) : message)),
    requestDeserialize: (bytes) => parsed(input, bytes),
    responseSerialize: (message) => Buffer.from(toBinary(output, message)),
    responseDeserialize: (bytes) => fromBinary(output, bytes),
  };
}

/** All methods of a service, by their names in TypeScript. */
export function serviceDefinition(service: Pick<DescService, "typeName" | "method">): ServiceDefinition {
  const methods = Object.entries(service.method);
  return Object.fromEntries(methods.map(([name, method]) => [name, methodDefinition(service, method)]));
}

function parsed<D extends DescMessage>(schema: D, bytes: Uint8Array): MessageShape<D> | typeof MALFORMED {
  try {
    return fromBinary(schema, bytes, { readUnknownFields: false });
  } catch {
    return MALFORMED;
  }
}
