import * as fc from 'fast-check';

/** One kind of input and what must hold for it. Its inputs are plain JSON, so that a find can be kept as a file. */
export interface Target {
  name: string;
  property: fc.IAsyncProperty<[unknown]>;
  /** Checks an input that was kept. @throws an error when the property does not hold. */
  replay(input: unknown): Promise<void>;
}

export function target<Input>(
  name: string,
  input: fc.Arbitrary<Input>,
  run: (input: Input) => void | Promise<void>,
): Target {
  const check = async (given: unknown) => {
    await run(given as Input);
  };
  return { name, property: fc.asyncProperty(input, check), replay: check };
}
