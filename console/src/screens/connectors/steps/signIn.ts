// The ways to sign in, and the reserved entries that each of them needs.

/** A way to sign in. `asks` is what every account gives, `holds` what the connector says once for all. */
export interface SignInWay {
  value: string;
  label: string;
  asks: readonly string[];
  holds: readonly string[];
}

const APP = ["oauth.api.key", "oauth.api.secret"] as const;

/** All of them. */
export const SIGN_IN: readonly SignInWay[] = [
  { value: "none", label: "Nothing", asks: [], holds: [] },
  { value: "basic", label: "Basic: user name and password", asks: ["username", "password"], holds: [] },
  { value: "apiKey", label: "API key", asks: [], holds: [] },
  { value: "oauth2", label: "OAuth 2", asks: [...APP, "oauth.callback.url"], holds: ["oauth.authorization.url", "oauth.token.url", "oauth.token.refresh_url", "oauth.token.revoke_url", "oauth.scope"] },
  { value: "oauth2ClientCredentials", label: "OAuth 2: client credentials", asks: [...APP], holds: ["oauth.token.url", "oauth.scope"] },
  { value: "oauth2Password", label: "OAuth 2: password", asks: [...APP, "username", "password"], holds: ["oauth.token.url", "oauth.scope"] },
  { value: "oauth1", label: "OAuth 1", asks: [...APP, "oauth.callback.url"], holds: ["oauth.request.url", "oauth.authorization.url", "oauth.token.url"] },
  { value: "custom", label: "Custom: hooks and parameters", asks: [], holds: [] },
  { value: "awsv4", label: "AWS v4 (calls are refused)", asks: [], holds: [] },
];
