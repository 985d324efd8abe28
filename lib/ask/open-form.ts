import type { PendingForm } from '../answer/event.ts';
import type { Dify } from '../dify/dify.ts';
import type { BridgeError } from '../errors.ts';
import { isFormOver, type KeptForm } from './form.ts';

/** A form that waits, as Dify has it now. */
export interface OpenForm {
  kept: KeptForm;
  form: PendingForm;
}

/** A form that cannot be answered any more. `isExpired`: its time was over, and what its run did then may be shown yet. */
export interface OverForm {
  token: string;
  isExpired: boolean;
}

export interface FormPorts {
  dify: Pick<Dify, 'getForm'>;
}

/** Those of the forms that are open, and why the last of the others is not. */
export async function openForms(forms: readonly KeptForm[], { dify }: FormPorts) {
  const found = await Promise.all(forms.map(async (kept) => ({ kept, form: await openForm(kept.token, dify) })));
  const open: OpenForm[] = [];
  const over: OverForm[] = [];
  let error: BridgeError | null = null;
  for (const { kept, form } of found) {
    if (isFormOver(form)) {
      over.push(overForm(kept.token, form));
      error = form;
    } else open.push({ kept, form });
  }
  return { open, over, error };
}

export const overForm = (token: string, { code }: BridgeError): OverForm => ({
  token,
  isExpired: code === 'form_expired',
});

/** The form; the failure where it was answered before, or is too late. */
export async function openForm(token: string, dify: FormPorts['dify']): Promise<PendingForm | BridgeError> {
  try {
    return await dify.getForm(token);
  } catch (error) {
    if (isFormOver(error)) return error;
    throw error;
  }
}
