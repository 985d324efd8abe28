// Loaded before set-up in its own process: public names lead to loopback, as FAKE_HOSTS says (JSON, origin to origin).
const hosts = JSON.parse(process.env['FAKE_HOSTS'] ?? '{}') as Record<string, string>;
const real = globalThis.fetch;
globalThis.fetch = (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input);
  const target = hosts[url.origin];
  return real(target === undefined ? url : `${target}${url.pathname}${url.search}`, init);
};
