// The authorisation server that the tests sign in at: npm's oidc-provider as it is, with PKCE required and refresh
// tokens rotated, a person who allows everything, a small API behind its tokens, and controls for the tests.
//
// Prints one line of JSON with its address when it is ready. A used refresh token ends the grant, as the package does
// it; with `grace` a used one is answered once more as before, as several large providers do it.
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const rows = new Map();

// Everything in one map, so that the controls can end grants and tokens.
class Adapter {
  constructor(kind) {
    this.kind = kind;
  }
  key(id) {
    return `${this.kind}:${id}`;
  }
  async upsert(id, payload) {
    rows.set(this.key(id), { ...payload });
  }
  async find(id) {
    return rows.get(this.key(id));
  }
  async findByUid(uid) {
    return [...rows].find(([key, row]) => key.startsWith(`${this.kind}:`) && row.uid === uid)?.[1];
  }
  async findByUserCode() {
    return undefined;
  }
  async consume(id) {
    const row = rows.get(this.key(id));
    if (row) row.consumed = Math.floor(Date.now() / 1000);
  }
  async destroy(id) {
    rows.delete(this.key(id));
  }
  async revokeByGrantId(grantId) {
    for (const [key, row] of rows) if (row.grantId === grantId) rows.delete(key);
  }
}

const client = (id, more) => ({
  client_id: id,
  client_secret: `secret-of-${id}`,
  redirect_uris: ['http://127.0.0.1/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'client_secret_post',
  ...more,
});

const counts = { exchanges: 0, refreshes: 0, machines: 0, refused: 0, asked: 0 };
const things = [];
const answers = new Map();
let mode = { grace: false, drop: false, hold: false };
let held = 0;

const server = createServer();
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  adapter: Adapter,
  clients: [
    client('turnstone'),
    client('basic', { token_endpoint_auth_method: 'client_secret_basic' }),
    client('machine', { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }),
  ],
  pkce: { methods: ['S256'], required: () => true },
  scopes: ['openid', 'offline_access', 'api'],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    revocation: { enabled: true },
  },
  rotateRefreshToken: true,
  issueRefreshToken: async (ctx, who) => who.grantTypeAllowed('refresh_token'),
  ttl: { AccessToken: 3600, ClientCredentials: 3600, RefreshToken: 86400, Session: 600, Grant: 86400, Interaction: 600 },
  cookies: { keys: ['for the tests'] },
  findAccount: async (ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
});
const count = { authorization_code: 'exchanges', refresh_token: 'refreshes', client_credentials: 'machines' };
provider.on('grant.success', (ctx) => (counts[count[ctx.oidc.params.grant_type]] += 1));
provider.on('grant.error', () => (counts.refused += 1));
const handle = provider.callback();

const say = (res, status, json) => {
  res.writeHead(status, { 'content-type': 'application/json' });
  res.end(JSON.stringify(json));
};

const read = async (req) => {
  const parts = [];
  for await (const part of req) parts.push(part);
  return Buffer.concat(parts).toString();
};

// A person who signs in and allows everything.
async function interact(req, res) {
  const { params, prompt, session } = await provider.interactionDetails(req, res);
  if (prompt.name === 'login') {
    return provider.interactionFinished(req, res, { login: { accountId: 'ann' } });
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } });
}

// The API: what was changed since, oldest first, in pages.
async function api(req, res, url) {
  counts.asked += 1;
  const token = (req.headers.authorization ?? '').replace(/^Bearer /, '');
  const known = (await provider.AccessToken.find(token)) ?? (await provider.ClientCredentials.find(token));
  if (!known) return say(res, 401, { error: 'invalid_token' });
  const since = url.searchParams.get('since');
  const size = Number(url.searchParams.get('size') ?? 50);
  const page = Number(url.searchParams.get('page') ?? 1);
  const found = things.filter((thing) => !since || thing.changed >= since);
  found.sort((one, other) => (one.changed < other.changed ? -1 : 1));
  return say(res, 200, { items: found.slice((page - 1) * size, page * size) });
}

async function control(req, res, url) {
  const body = await read(req);
  switch (url.pathname) {
    case '/control/counts':
      return say(res, 200, { ...counts, held });
    case '/control/mode':
      mode = { ...mode, ...JSON.parse(body) };
      return say(res, 200, mode);
    case '/control/things':
      things.push(...JSON.parse(body));
      return say(res, 200, {});
    case '/control/expire':
      for (const key of rows.keys()) if (/^(AccessToken|ClientCredentials):/.test(key)) rows.delete(key);
      return say(res, 200, {});
    case '/control/revoke':
      for (const key of rows.keys()) if (/^(AccessToken|RefreshToken|Grant):/.test(key)) rows.delete(key);
      return say(res, 200, {});
    default:
      return say(res, 404, {});
  }
}

// The token endpoint is the package's; around it stand what networks and providers do.
async function token(req, res) {
  req.body = await read(req);
  const refresh = new URLSearchParams(req.body).get('refresh_token');
  if (refresh && mode.hold) {
    held += 1;
    return; // Never handled: the caller is gone before that.
  }
  if (refresh && mode.grace && answers.has(refresh)) return say(res, 200, answers.get(refresh));
  const drops = refresh && mode.drop;
  if (drops) mode.drop = false;
  const end = res.end.bind(res);
  res.end = (text, ...rest) => {
    if (refresh && res.statusCode === 200) answers.set(refresh, JSON.parse(text.toString()));
    if (!drops) return end(text, ...rest);
    req.socket.destroy(); // Handled, and nobody hears of it.
    return res;
  };
  return handle(req, res);
}

server.on('request', async (req, res) => {
  const url = new URL(req.url, issuer);
  try {
    if (url.pathname.startsWith('/interaction/')) await interact(req, res);
    else if (url.pathname.startsWith('/control/')) await control(req, res, url);
    else if (url.pathname === '/things') await api(req, res, url);
    else if (url.pathname === '/token') await token(req, res);
    else handle(req, res);
  } catch (error) {
    say(res, 500, { error: String(error) });
  }
});
console.log(JSON.stringify({ issuer }));
