import type { Props } from './values.ts';

/** A component of the template, before it has an id. */
export interface Part {
  kind: string;
  /** Shown in the builder's outline. */
  title: string;
  props: Props;
  children: readonly Part[];
}

export const part = (kind: string, title: string, props: Props, children: readonly Part[] = []): Part => ({
  kind,
  title,
  props,
  children,
});
