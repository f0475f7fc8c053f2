// Browsers besides Chromium, as Debian packages them: Firefox over Marionette, WebKitGTK over WebDriver. Only what a test of the player
// needs: an address, a cookie, a script in the page.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Cookie {
  name: string;
  value: string;
}

/** One window of a browser. */
export interface Driver {
  open(url: string): Promise<void>;
  /** Sets a cookie of the page that is open, as the box sets its own. */
  cookie(cookie: Cookie): Promise<void>;
  /** The result of a function's body in the page. */
  run<T>(body: string): Promise<T>;
  close(): Promise<void>;
}

const FIREFOX = '/usr/bin/firefox-esr';
const WEBKIT_DRIVER = '/usr/bin/WebKitWebDriver';
const START_WITHIN_MS = 30_000;

/** What is installed here. */
export const BROWSERS: { name: string; packages: string; isThere: boolean; start: () => Promise<Driver> }[] = [
  { name: 'Firefox', packages: 'firefox-esr', isThere: existsSync(FIREFOX), start: firefox },
  {
    name: 'WebKitGTK',
    packages: 'webkit2gtk-driver xvfb gstreamer1.0-libav gstreamer1.0-plugins-good gstreamer1.0-plugins-bad',
    isThere: existsSync(WEBKIT_DRIVER) && existsSync('/usr/bin/Xvfb') && miniBrowser() !== undefined,
    start: webkit,
  },
];

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/** Tries until it works. */
async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + START_WITHIN_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (e) {
      if (Date.now() > deadline) throw e;
      await new Promise((done) => setTimeout(done, 100));
    }
  }
}

async function ended(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return;
  const gone = new Promise((done) => process.once('exit', done));
  process.kill('SIGTERM');
  await gone;
}

const OF_BOX = { path: '/', secure: true, httpOnly: true, sameSite: 'Strict' };

// ---- Firefox

/** Marionette: `LENGTH:[0, id, command, parameters]`, answered by `LENGTH:[1, id, error, result]`. */
class Marionette {
  #waiting = new Map<number, (answer: [unknown, unknown]) => void>();
  #buffer = Buffer.alloc(0);
  #next = 1;

  constructor(readonly socket: Socket) {
    socket.on('data', (data) => this.#take(data));
  }

  async ask(command: string, parameters: unknown = {}): Promise<unknown> {
    const id = this.#next++;
    const text = JSON.stringify([0, id, command, parameters]);
    const answered = new Promise<[unknown, unknown]>((done) => this.#waiting.set(id, done));
    this.socket.write(`${Buffer.byteLength(text)}:${text}`);
    const [error, result] = await answered;
    if (error) throw new Error(`${command}: ${JSON.stringify(error)}`);
    return result;
  }

  #take(data: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, data]);
    for (;;) {
      const colon = this.#buffer.indexOf(':');
      const end = colon + 1 + Number(this.#buffer.subarray(0, Math.max(0, colon)).toString());
      if (colon < 0 || this.#buffer.length < end) return;
      const message = JSON.parse(this.#buffer.subarray(colon + 1, end).toString()) as [number, number, unknown, unknown];
      this.#buffer = this.#buffer.subarray(end);
      // The first is a greeting.
      if (Array.isArray(message)) this.#waiting.get(message[1])?.([message[2], message[3]]);
    }
  }
}

async function firefox(): Promise<Driver> {
  const profile = mkdtempSync(join(tmpdir(), 'sinetti-firefox-'));
  const port = await freePort();
  const settings: Record<string, string | number | boolean> = {
    'marionette.port': port,
    'intl.accept_languages': 'fi',
    'browser.shell.checkDefaultBrowser': false,
    'datareporting.policy.dataSubmissionEnabled': false,
    'app.update.disabledForTesting': true,
  };
  const lines = Object.entries(settings).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`);
  writeFileSync(join(profile, 'user.js'), lines.join(''));
  const env = { ...process.env, HOME: profile, MOZ_HEADLESS: '1' };
  const browser = spawn(FIREFOX, ['--headless', '--marionette', '--no-remote', '--profile', profile], { stdio: 'ignore', env });
  const socket = await patiently(
    () =>
      new Promise<Socket>((done, fail) => {
        const attempt = connect(port, '127.0.0.1', () => done(attempt));
        attempt.once('error', fail);
      }),
  );
  const marionette = new Marionette(socket);
  await marionette.ask('WebDriver:NewSession', { acceptInsecureCerts: true });
  return {
    open: async (url) => void (await marionette.ask('WebDriver:Navigate', { url })),
    cookie: async (cookie) => void (await marionette.ask('WebDriver:AddCookie', { cookie: { ...cookie, ...OF_BOX } })),
    run: async <T>(body: string) => ((await marionette.ask('WebDriver:ExecuteScript', { script: body, args: [] })) as { value: T }).value,
    close: async () => {
      socket.destroy();
      await ended(browser);
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

// ---- WebKitGTK

function miniBrowser(): string | undefined {
  const folders = readdirSync('/usr/lib').filter((name) => name.endsWith('-linux-gnu'));
  const all = folders.flatMap((name) => ['4.0', '4.1'].map((version) => `/usr/lib/${name}/webkit2gtk-${version}/MiniBrowser`));
  return all.filter((path) => existsSync(path)).at(-1);
}

/** A display that nobody sees; its number. */
async function display(home: string): Promise<{ server: ChildProcess; name: string }> {
  const file = join(home, 'display');
  writeFileSync(file, '');
  const server = spawn('/bin/sh', ['-c', `exec Xvfb -displayfd 3 -screen 0 1280x900x24 -nolisten tcp 3>"${file}"`], { stdio: 'ignore' });
  const name = await patiently(async () => {
    const number = readFileSync(file, 'utf8').trim();
    if (number === '') throw new Error('Xvfb does not start');
    return `:${number}`;
  });
  return { server, name };
}

async function webkit(): Promise<Driver> {
  const home = mkdtempSync(join(tmpdir(), 'sinetti-webkit-'));
  const { server, name } = await display(home);
  const port = await freePort();
  const env = { ...process.env, HOME: home, XDG_RUNTIME_DIR: home, DISPLAY: name, LANG: 'C.UTF-8', WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1' };
  const driver = spawn(WEBKIT_DRIVER, [`--port=${port}`, '--host=127.0.0.1'], { stdio: 'ignore', env });
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, body: body === undefined ? null : JSON.stringify(body) });
    const { value } = (await answer.json()) as { value: T };
    if (!answer.ok) throw new Error(`${method} ${path}: ${JSON.stringify(value)}`);
    return value;
  };
  const browserOptions = { binary: miniBrowser(), args: ['--automation'] };
  const capabilities = { alwaysMatch: { acceptInsecureCerts: true, 'webkitgtk:browserOptions': browserOptions } };
  const { sessionId } = await patiently(() => call<{ sessionId: string }>('POST', '/session', { capabilities }));
  const session = `/session/${sessionId}`;
  return {
    open: (url) => call('POST', `${session}/url`, { url }),
    cookie: (cookie) => call('POST', `${session}/cookie`, { cookie: { ...cookie, ...OF_BOX } }),
    run: (body) => call('POST', `${session}/execute/sync`, { script: body, args: [] }),
    close: async () => {
      await call('DELETE', session).catch(() => {});
      await ended(driver);
      await ended(server);
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
