// Signs requests as their providers do and prints one of them a line, as JSON.
//
// Where a provider's own library signs, it signs here. Where it only checks, the request is signed as its documentation
// says, and the library must accept it, and refuse it altered and under another secret, before it is printed. The rest
// is signed as documented, apart from our own code: `by` says which it was.
//
// Every provider gives three requests: `sent`, `other` (another delivery under the same secret) and `renewed` (the
// first delivery under the next secret).
import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';
import '@shopify/shopify-api/adapters/node';
import { ApiVersion, LogSeverity, shopifyApi } from '@shopify/shopify-api';
import { sign as signForGitHub, verify as verifyForGitHub } from '@octokit/webhooks-methods';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import Stripe from 'stripe';
import twilio from 'twilio';

const require = createRequire(import.meta.url);
const { Signature: HubSpot } = require('@hubspot/api-client/lib/src/utils/signature.js');
const { LinearWebhookClient } = require('@linear/sdk/webhooks');
const { Paddle } = require('@paddle/paddle-node-sdk');
const { verifySlackRequest } = require('@slack/bolt/dist/receivers/verify-request.js');
const { WebhooksHelper: Square } = require('square');

const version = (name) => {
  const lock = require('./package-lock.json');
  return `${name} ${lock.packages[`node_modules/${name}`].version}`;
};
const documented = 'its documentation';

const now = Math.floor(Date.now() / 1000);
const url = 'https://turnstone.example/events/elements/aB3-_x?tenant=7&q=%C3%A9';
const mac = (secret, text, encoding, algorithm = 'sha256') =>
  createHmac(algorithm, secret).update(text).digest(encoding);

// What signing alone does not see: letters beyond ASCII, blanks, numbers that a parser would write otherwise.
const json = (delivery, more = {}) =>
  JSON.stringify({ ...more, delivery, name: 'Zoë 🐦 "x" \\', list: [1, null, true] }).replace(
    /}$/,
    ', "amount": 1.10, "big": 12345678901234567890}',
  );
const plain = (secret) => `${secret} – ß, of 30 letters or so`;
const token = (secret) => `${secret.replaceAll(' ', '-')}-T0ken`;
const standard = (secret) => `whsec_${Buffer.from(`${secret} with 24 bytes and more`).toString('base64')}`;

const asDocumented = (preset, header, signature, more = {}) => ({ preset, by: documented, header, signature, ...more });

const shopify = (secret) =>
  shopifyApi({
    apiKey: 'key',
    apiSecretKey: secret,
    apiVersion: ApiVersion.July25 ?? ApiVersion.January25,
    hostName: 'turnstone.example',
    isEmbeddedApp: false,
    logger: { level: LogSeverity.Error, log: () => {} },
  });
const stripe = new Stripe('sk_test_none');
const paddle = new Paddle('none');

const form = (delivery) =>
  new URLSearchParams([
    ['MessageSid', `SM${delivery}`],
    ['Body', 'Grüße & 1+1=2 🐦'],
    ['To', '+14155550199'],
    ['From', '+14155550100'],
    ['MediaUrl', 'b'],
    ['MediaUrl', 'a'],
    ['Empty', ''],
  ]).toString();
const fields = (body) => {
  const all = {};
  for (const [name, value] of new URLSearchParams(body)) {
    all[name] = name in all ? [all[name], value].flat() : value;
  }
  return all;
};

// `signature` gives the signature's header; `beside` the other headers; `check` is the provider's own judgement.
const providers = [
  {
    preset: 'standard-webhooks',
    by: version('standardwebhooks'),
    secret: standard,
    header: 'webhook-signature',
    beside: ({ id }) => [['webhook-id', id], ['webhook-timestamp', String(now)]],
    signature: ({ id, body, secret }) => new StandardWebhook(secret).sign(id, new Date(now * 1000), body),
    check: ({ body, secret, headers }) => new StandardWebhook(secret).verify(body, headers),
  },
  {
    preset: 'svix',
    by: version('svix'),
    secret: standard,
    header: 'svix-signature',
    beside: ({ id }) => [['svix-id', id], ['svix-timestamp', String(now)]],
    signature: ({ id, body, secret }) => new SvixWebhook(secret).sign(id, new Date(now * 1000), body),
    check: ({ body, secret, headers }) => new SvixWebhook(secret).verify(body, headers),
  },
  {
    preset: 'stripe',
    by: version('stripe'),
    body: (id) => json(id, { id, object: 'event' }),
    header: 'Stripe-Signature',
    signature: ({ body, secret }) =>
      stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp: now }),
    check: ({ body, secret, headers }) =>
      stripe.webhooks.constructEvent(body, headers['stripe-signature'], secret, 300),
  },
  {
    preset: 'github',
    by: version('@octokit/webhooks-methods'),
    header: 'X-Hub-Signature-256',
    beside: ({ id }) => [['X-GitHub-Delivery', id], ['X-GitHub-Event', 'push']],
    signature: ({ body, secret }) => signForGitHub(secret, body),
    check: ({ body, secret, headers }) => verifyForGitHub(secret, body, headers['x-hub-signature-256']),
  },
  {
    preset: 'slack',
    by: version('@slack/bolt'),
    body: (id) => json(id, { type: 'event_callback', event_id: id }),
    header: 'X-Slack-Signature',
    beside: () => [['X-Slack-Request-Timestamp', String(now)]],
    signature: ({ body, secret }) => `v0=${mac(secret, `v0:${now}:${body}`, 'hex')}`,
    check: ({ body, secret, headers }) => {
      const time = Number(headers['x-slack-request-timestamp']);
      verifySlackRequest({
        signingSecret: secret,
        body,
        headers: { 'x-slack-signature': headers['x-slack-signature'], 'x-slack-request-timestamp': time },
      });
    },
  },
  {
    preset: 'shopify',
    by: version('@shopify/shopify-api'),
    header: 'X-Shopify-Hmac-Sha256',
    beside: ({ id }) => [
      ['X-Shopify-Webhook-Id', id],
      ['X-Shopify-Topic', 'orders/updated'],
      ['X-Shopify-Shop-Domain', 'birds.myshopify.com'],
      ['X-Shopify-API-Version', '2025-01'],
    ],
    signature: ({ body, secret }) => mac(secret, body, 'base64'),
    check: async ({ body, secret, headers }) =>
      (
        await shopify(secret).webhooks.validate({
          rawBody: body,
          rawRequest: { method: 'POST', url: '/', headers },
          rawResponse: {},
        })
      ).valid,
  },
  {
    preset: 'hubspot-v3',
    by: version('@hubspot/api-client'),
    named: false,
    header: 'X-HubSpot-Signature-v3',
    beside: () => [['X-HubSpot-Request-Timestamp', String(now * 1000)]],
    signature: ({ body, secret }) => mac(secret, `POST${url}${body}${now * 1000}`, 'base64'),
    check: ({ body, secret, headers }) =>
      HubSpot.isValid({
        signatureVersion: 'v3',
        method: 'POST',
        clientSecret: secret,
        url,
        requestBody: body,
        signature: headers['x-hubspot-signature-v3'],
        timestamp: Number(headers['x-hubspot-request-timestamp']),
      }),
  },
  {
    preset: 'twilio',
    by: version('twilio'),
    body: form,
    type: 'application/x-www-form-urlencoded',
    header: 'X-Twilio-Signature',
    beside: ({ id }) => [['I-Twilio-Idempotency-Token', id]],
    signature: ({ body, secret }) => twilio.getExpectedTwilioSignature(secret, url, fields(body)),
    check: ({ body, secret, headers }) =>
      twilio.validateRequest(secret, headers['x-twilio-signature'], url, fields(body)),
  },
  {
    preset: 'square',
    by: version('square'),
    body: (id) => json(id, { event_id: id }),
    header: 'x-square-hmacsha256-signature',
    signature: ({ body, secret }) => mac(secret, url + body, 'base64'),
    check: ({ body, secret, headers }) =>
      Square.isValidWebhookEventSignature(body, headers['x-square-hmacsha256-signature'], secret, url),
  },
  {
    preset: 'paddle',
    by: version('@paddle/paddle-node-sdk'),
    body: (id) => json(id, { event_id: id }),
    header: 'Paddle-Signature',
    signature: ({ body, secret }) => `ts=${now};h1=${mac(secret, `${now}:${body}`, 'hex')}`,
    check: ({ body, secret, headers }) =>
      paddle.webhooks.isSignatureValid(body, secret, headers['paddle-signature']),
  },
  {
    preset: 'linear',
    by: version('@linear/sdk'),
    body: (id) => json(id, { webhookTimestamp: now * 1000 }),
    header: 'Linear-Signature',
    beside: ({ id }) => [['Linear-Delivery', id]],
    signature: ({ body, secret }) => mac(secret, body, 'hex'),
    check: ({ body, secret, headers }) =>
      new LinearWebhookClient(secret).verify(
        Buffer.from(body),
        headers['linear-signature'],
        JSON.parse(body).webhookTimestamp,
      ),
  },
  asDocumented('atlassian', 'X-Hub-Signature', ({ body, secret }) => `sha256=${mac(secret, body, 'hex')}`, {
    beside: ({ id }) => [['X-Atlassian-Webhook-Identifier', id]],
  }),
  asDocumented('bitbucket', 'X-Hub-Signature', ({ body, secret }) => `sha256=${mac(secret, body, 'hex')}`, {
    named: false,
  }),
  asDocumented(
    'calendly',
    'Calendly-Webhook-Signature',
    ({ body, secret }) => `t=${now},v1=${mac(secret, `${now}.${body}`, 'hex')}`,
    { named: false },
  ),
  asDocumented('docusign', 'X-DocuSign-Signature-1', ({ body, secret }) => mac(secret, body, 'base64'), {
    named: false,
  }),
  asDocumented('dropbox', 'X-Dropbox-Signature', ({ body, secret }) => mac(secret, body, 'hex'), { named: false }),
  asDocumented('intercom', 'X-Hub-Signature', ({ body, secret }) => `sha1=${mac(secret, body, 'hex', 'sha1')}`, {
    body: (id) => json(id, { id }),
  }),
  asDocumented('meta', 'X-Hub-Signature-256', ({ body, secret }) => `sha256=${mac(secret, body, 'hex')}`, {
    named: false,
  }),
  asDocumented('pagerduty', 'X-PagerDuty-Signature', ({ body, secret }) => `v1=${mac(secret, body, 'hex')}`, {
    body: (id) => json(id, { event: { id } }),
  }),
  asDocumented('razorpay', 'X-Razorpay-Signature', ({ body, secret }) => mac(secret, body, 'hex'), {
    beside: ({ id }) => [['x-razorpay-event-id', id]],
  }),
  asDocumented('sentry', 'Sentry-Hook-Signature', ({ body, secret }) => mac(secret, body, 'hex'), { named: false }),
  asDocumented('trello', 'X-Trello-Webhook', ({ body, secret }) => mac(secret, body + url, 'base64', 'sha1'), {
    body: (id) => json(id, { action: { id } }),
  }),
  asDocumented('typeform', 'Typeform-Signature', ({ body, secret }) => `sha256=${mac(secret, body, 'base64')}`, {
    body: (id) => json(id, { event_id: id }),
  }),
  asDocumented('woocommerce', 'X-WC-Webhook-Signature', ({ body, secret }) => mac(secret, body, 'base64'), {
    named: false,
  }),
  asDocumented('xero', 'x-xero-signature', ({ body, secret }) => mac(secret, body, 'base64'), { named: false }),
  asDocumented(
    'zendesk',
    'X-Zendesk-Webhook-Signature',
    ({ body, secret }) => mac(secret, new Date(now * 1000).toISOString().replace('.000', '') + body, 'base64'),
    {
      beside: ({ id }) => [
        ['X-Zendesk-Webhook-Signature-Timestamp', new Date(now * 1000).toISOString().replace('.000', '')],
        ['X-Zendesk-Webhook-Invocation-Id', id],
      ],
    },
  ),
  asDocumented('zoom', 'x-zm-signature', ({ body, secret }) => `v0=${mac(secret, `v0:${now}:${body}`, 'hex')}`, {
    beside: () => [['x-zm-request-timestamp', String(now)]],
    named: false,
  }),
  // No provider's: what a declaration can say beyond the presets.
  {
    preset: 'declared-sha512',
    by: 'a declaration',
    header: 'X-Signature',
    beside: ({ id }) => [['X-Time', String(now * 1000)], ['X-Delivery', id]],
    signature: ({ body, secret }) =>
      `sha512=${mac(secret, `POST ${url}\n${now * 1000}\n${body}`, 'base64url', 'sha512')}`,
  },
  {
    preset: 'declared-sha384',
    by: 'a declaration',
    header: 'X-Signatures',
    beside: ({ id }) => [['X-Delivery', id]],
    signature: ({ id, body, secret }) => `mac=${mac(secret, `${id}${body}`, 'hex', 'sha384').toUpperCase()}`,
  },
  asDocumented('gitlab', 'X-Gitlab-Token', ({ secret }) => secret, {
    secret: token,
    beside: ({ id }) => [['Idempotency-Key', id]],
  }),
  asDocumented('okta', 'Authorization', ({ secret }) => secret, { secret: token, named: false }),
];

const accepts = async (provider, request) => {
  const headers = Object.fromEntries(request.headers.map(([name, value]) => [name.toLowerCase(), value]));
  try {
    return (await provider.check({ ...request, headers })) !== false;
  } catch {
    return false;
  }
};

const request = async (provider, kind, id, key) => {
  const secret = (provider.secret ?? plain)(key);
  const body = (provider.body ?? json)(id);
  const signed = await provider.signature({ id, body, secret });
  const headers = [
    ['Content-Type', provider.type ?? 'application/json'],
    ...(provider.beside?.({ id }) ?? []),
    [provider.header, signed],
  ];
  const whole = { headers, body, secret };
  if (provider.check) {
    const judged = [
      await accepts(provider, whole),
      await accepts(provider, { ...whole, body: body.replace('null', 'NULL').replace('Body', 'body') }),
      await accepts(provider, { ...whole, secret: (provider.secret ?? plain)('another') }),
    ];
    if (String(judged) !== 'true,false,false') throw new Error(`${provider.by} judges ${judged}`);
  }
  const { preset, by, header, named = true } = provider;
  return { preset, by, kind, header, method: 'POST', url, at: now, id: named ? id : null, ...whole };
};

for (const provider of providers) {
  for (const [kind, id, key] of [
    ['sent', 'dlv-1', 'first secret'],
    ['other', 'dlv-2', 'first secret'],
    ['renewed', 'dlv-1', 'second secret'],
  ]) {
    console.log(JSON.stringify(await request(provider, kind, id, key)));
  }
}
