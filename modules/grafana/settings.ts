import { fileValue, type Settings } from "./ini.ts";

/** What {@link grafanaSettings} is told. */
export interface SettingsInput {
  readonly listen: { readonly host: string; readonly port: number };
  /** Name in the server certificate, and of the cookie. */
  readonly servername: string;
  /** Port that browsers use. */
  readonly publishedPort: number;
  readonly certFile: string;
  readonly keyFile: string;
  readonly adminPasswordFile: string;
  /** What Grafana encrypts the secrets in its own database with. */
  readonly secretKeyFile: string;
  readonly homeDashboardFile: string;
}

// Grafana's own policy without grafana.com, web sockets and images of other hosts: a text panel could name one that tells it a value.
const CONTENT_SECURITY_POLICY = [
  "script-src 'self' 'unsafe-eval' 'unsafe-inline' 'strict-dynamic' $NONCE",
  "object-src 'none'",
  "font-src 'self'",
  "style-src 'self' 'unsafe-inline' blob:",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'self'",
  "manifest-src 'self'",
  "media-src 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join(";");

/**
 * `grafana.ini`, without `[paths]`: the image sets those in its environment, which wins over the file. Whatever could carry plaintext out
 * of the boundary is off: alert notifications, mail, snapshots, public dashboards, web sockets, rendering, plugin installation, telemetry.
 */
export function grafanaSettings(input: SettingsInput): Settings {
  return {
    server: {
      protocol: "https",
      min_tls_version: "TLS1.3",
      http_addr: input.listen.host,
      http_port: input.listen.port,
      domain: input.servername,
      root_url: `https://${input.servername}:${input.publishedPort}/`,
      cert_file: input.certFile,
      cert_key: input.keyFile,
      certs_watch_interval: "1m",
      read_timeout: "1m",
      router_logging: false,
    },
    database: { type: "sqlite3", path: "grafana.db", wal: true },
    security: {
      admin_user: "admin",
      admin_password: fileValue(input.adminPasswordFile),
      secret_key: fileValue(input.secretKeyFile),
      disable_gravatar: true,
      disable_brute_force_login_protection: false,
      cookie_secure: true,
      cookie_samesite: "strict",
      allow_embedding: false,
      strict_transport_security: true,
      strict_transport_security_max_age_seconds: 31_536_000,
      x_content_type_options: true,
      content_security_policy: true,
      content_security_policy_template: CONTENT_SECURITY_POLICY,
    },
    users: {
      allow_sign_up: false,
      allow_org_create: false,
      auto_assign_org_role: "Viewer",
      viewers_can_edit: false,
      default_theme: "system",
    },
    auth: {
      disable_login_form: false,
      login_maximum_inactive_lifetime_duration: "1d",
      login_maximum_lifetime_duration: "7d",
    },
    "auth.anonymous": { enabled: false },
    "auth.basic": { enabled: false },
    analytics: {
      reporting_enabled: false,
      check_for_updates: false,
      check_for_plugin_updates: false,
      feedback_links_enabled: false,
    },
    news: { news_feed_enabled: false },
    help: { enabled: false },
    plugins: { plugin_admin_enabled: false, preinstall_disabled: true, public_key_retrieval_disabled: true },
    snapshots: { enabled: false, external_enabled: false },
    public_dashboards: { enabled: false },
    live: { max_connections: 0 },
    smtp: { enabled: false },
    metrics: { enabled: false },
    unified_alerting: { enabled: false },
    dashboards: { default_home_dashboard_path: input.homeDashboardFile, min_refresh_interval: "10s" },
    dataproxy: { row_limit: 100_000, timeout: 30, logging: false },
    log: { mode: "console", level: "info" },
    "log.console": { format: "json" },
  };
}
