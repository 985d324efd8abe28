// The form of a run that asks a person.
import { describe, expect, test } from 'vitest';
import { getForm, submitForm } from '../../lib/dify/forms.ts';
import { pause, paused, user } from './paused.ts';
import { httpOf, json, startServer } from './support.ts';

describe('a form', () => {
  test('is read as the event told it', async () => {
    const { http, run, dify } = await paused();
    const form = await getForm(http, run.forms[0]?.token ?? '');
    expect(form).toMatchObject({
      content: '退款吗？\n\n{{#$output.comment#}}',
      fields: [
        { name: 'comment', type: 'text', required: false, default: '无' },
        { name: 'priority', type: 'select', required: true, options: ['low', 'high'] },
      ],
      actions: [
        { id: 'approve', title: 'Approve' },
        { id: 'reject', title: 'Reject' },
      ],
    });
    expect(Math.abs((form.expiresAtMs ?? 0) - (run.forms[0]?.expiresAt ?? 0))).toBeLessThan(1_000);
    expect(dify.violations).toEqual([]);
  });

  test('takes one answer; a refused one leaves it open', async () => {
    const { submit, http, run, dify } = await paused();
    await expect(submit({ comment: '', priority: 'medium' })).rejects.toMatchObject({ code: 'form_invalid' });
    await submit();
    await expect(submit()).rejects.toMatchObject({ code: 'form_closed' });
    await expect(getForm(http, run.forms[0]?.token ?? '')).rejects.toMatchObject({
      code: 'form_closed',
    });
    expect(run.forms[0]).toMatchObject({ user, submitted: { action: 'approve' } });
    expect(dify.violations).toEqual([]);
  });

  test('that nobody knows, or that is over, has expired', async () => {
    const { http, submission, submit } = await paused({ ...pause, expiresInS: -1 });
    await expect(submit()).rejects.toMatchObject({ code: 'form_expired' });
    const unknown = { ...submission(), token: 'no/such?form' };
    await expect(submitForm(http, unknown)).rejects.toMatchObject({ code: 'form_expired' });
    await expect(getForm(http, 'none')).rejects.toMatchObject({ code: 'form_expired' });
  });

  test('that meets a page or an error is a failure of Dify', async () => {
    const page = await startServer((_path, response) => response.end('<html>'));
    const body = { token: 't', action: 'a', inputs: {}, user };
    await expect(submitForm(httpOf(page.url), body)).rejects.toMatchObject({
      code: 'dify_server_error',
    });
    await expect(getForm(httpOf(page.url), 't')).rejects.toMatchObject({
      code: 'dify_server_error',
    });
    const closed = await startServer((_path, response) => json(response, { code: 'unauthorized' }, 401));
    await expect(getForm(httpOf(closed.url), 't')).rejects.toMatchObject({
      code: 'dify_unauthorized',
    });
  });
});
