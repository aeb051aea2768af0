/* Every setting of the daemon, one row each. From this table come struct settings, the YAML file, `--set`, the
 * environment, `caraway config` and docs/settings.md.
 *
 * Row: X(field, KIND, name, default, default of the private preset (SAME: the same), least, most, choices, applies,
 * sentence). Durations count in ms and sizes in bytes; `least` and `most` are used by numbers, durations and sizes. */
#pragma once

#include "ca/csr.h"

/* kind, what the person writes */
#define SETTING_KIND_TABLE(X)                                                                                          \
    X(TEXT, "text")                                                                                                    \
    X(URL, "URL")                                                                                                      \
    X(BOOL, "true or false")                                                                                           \
    X(INTEGER, "number")                                                                                               \
    X(DURATION, "duration (500ms, 30s, 5m, 1h, 90d)")                                                                  \
    X(RATE, "COUNT/PERIOD, as 300/3h, or off")                                                                         \
    X(SIZE, "size (bytes, KiB, MiB, GiB, TiB)")                                                                        \
    X(CHOICE, "one of")                                                                                                \
    X(CHOICES, "some of")                                                                                              \
    X(ENDPOINT, "HOST:PORT")                                                                                           \
    X(ENDPOINTS, "list of HOST:PORT")                                                                                  \
    X(RESOLVER, "ADDRESS:PORT, or over TLS tls://ADDRESS:PORT#NAME")                                                   \
    X(NAMES, "list of domain names")                                                                                   \
    X(PATTERNS, "list of NAME, *.NAME, ADDRESS or ADDRESS/BITS")                                                       \
    X(NETWORKS, "list of ADDRESS or ADDRESS/BITS")                                                                     \
    X(HOSTS, "map of names to addresses")

#define SETTING_SECOND INT64_C(1000)
#define SETTING_HOUR   (3600 * SETTING_SECOND)
#define SETTING_DAY    (24 * SETTING_HOUR)
#define SETTING_MIB    (INT64_C(1) << 20)
#define SETTING_TIB    (INT64_C(1) << 40)

/* The names a laboratory may use freely (RFC 2606, RFC 6761) stand for this machine. */
#define SETTING_LAB_HOSTS                                                                                              \
    "test=127.0.0.1,*.test=127.0.0.1,example=127.0.0.1,*.example=127.0.0.1,localhost=127.0.0.1,"                       \
    "*.localhost=127.0.0.1,example.com=127.0.0.1,*.example.com=127.0.0.1,example.net=127.0.0.1,"                       \
    "*.example.net=127.0.0.1,example.org=127.0.0.1,*.example.org=127.0.0.1"

/* clang-format off */
#define SETTING_TABLE(X) \
    X(preset, CHOICE, "preset", "staging", SAME, 0, 0, "staging|private", RESTART, \
      "What the defaults are for: a staging CA on this machine, or a private CA in earnest.") \
    X(data, TEXT, "data", "./caraway-data", SAME, 0, 0, "", RESTART, \
      "Directory that holds everything the server keeps: db/, ca/ and tls/.") \
    X(listen, ENDPOINTS, "listen", "localhost:14000", SAME, 0, 0, "", RESTART, \
      "Where ACME is served over HTTPS; localhost means 127.0.0.1 and ::1.") \
    X(listen_plain, ENDPOINTS, "listen-plain", "", SAME, 0, 0, "", RESTART, \
      "Where ACME is served over plain HTTP, for a TLS proxy in front; RFC 8555 wants HTTPS up to the client.") \
    X(listen_proxied, ENDPOINTS, "listen-proxied", "", SAME, 0, 0, "", RESTART, \
      "Where ACME is served over HTTPS to trusted-proxies, which begin each connection with a PROXY header.") \
    X(management_listen, ENDPOINT, "management.listen", "localhost:15000", SAME, 0, 0, "", RESTART, \
      "Where health, metrics and the management interface are served; empty turns them off.") \
    X(external_url, URL, "external-url", "", SAME, 0, 0, "", RESTART, \
      "The URL clients reach the server under, when it differs from the first listen address.") \
    X(terms_of_service, URL, "terms-of-service", "", SAME, 0, 0, "", RESTART, \
      "Terms that an account must agree to; empty asks for no agreement.") \
    X(terms_of_service_enforced, BOOL, "terms-of-service-enforced", "false", SAME, 0, 0, "", RESTART, \
      "Accounts that agreed to other terms than those in force must agree again before they order.") \
    X(external_account_required, BOOL, "external-account-required", "false", SAME, 0, 0, "", RESTART, \
      "New accounts need an external account binding; make its keys with caraway eab add.") \
    X(directory_unknown_entry, BOOL, "directory.unknown-entry", "false", SAME, 0, 0, "", RESTART, \
      "The directory carries an entry with a random name, so that clients learn to ignore what they do not know.") \
    X(website, URL, "website", "", SAME, 0, 0, "", RESTART, \
      "Page about this CA, shown in the directory.") \
    X(caa_identities, NAMES, "caa-identities", "caraway.test", "", 0, 0, "", RESTART, \
      "Names this CA is known by in CAA records, shown in the directory.") \
    X(lenient_base64, BOOL, "lenient-base64", "false", SAME, 0, 0, "", RESTART, \
      "Padding behind base64url in requests is forgiven, against RFC 8555 6.1: some NAS appliances send it in CSRs.") \
    X(trusted_proxies, NETWORKS, "trusted-proxies", "", SAME, 0, 0, "", RESTART, \
      "Proxies whose Forwarded and X-Forwarded-* headers say who asks, by which name and scheme.") \
    X(challenges, CHOICES, "challenges", "http-01,dns-01,tls-alpn-01", SAME, 0, 0, \
      "http-01|dns-01|tls-alpn-01|dns-account-01|dns-persist-01", RESTART, \
      "Challenge types on offer. Some clients fail when they meet the last two, so they are not on by default.") \
    X(dns_persist_draft, CHOICE, "dns-persist.draft", "02", SAME, 0, 0, "02|01", RESTART, \
      "Draft of dns-persist-01 that is spoken: since 02 its records hold hashes of account and name.") \
    X(validation_http_port, INTEGER, "validation.http-port", "5002", "80", 1, 65535, "", RESTART, \
      "Port that http-01 connects to.") \
    X(validation_tls_port, INTEGER, "validation.tls-port", "5001", "443", 1, 65535, "", RESTART, \
      "Port that tls-alpn-01 connects to.") \
    X(validation_threads, INTEGER, "validation.threads", "0", SAME, 0, 256, "", RESTART, \
      "Threads that validate, each with many validations at once; 0 means one for each CPU.") \
    X(validation_timeout_ms, DURATION, "validation.timeout", "30s", SAME, 100, 600 * SETTING_SECOND, "", RESTART, \
      "Most that one validation may take.") \
    X(validation_tries, INTEGER, "validation.tries", "1", SAME, 1, 20, "", RESTART, \
      "How often a challenge is tried when no answer comes; meanwhile it stays in processing (RFC 8555 8.2).") \
    X(validation_retry_interval_ms, DURATION, "validation.retry-interval", "5s", SAME, SETTING_SECOND, SETTING_HOUR, "", \
      RESTART, "How long between two tries.") \
    X(validation_connect_timeout_ms, DURATION, "validation.connect-timeout", "10s", SAME, 100, \
      600 * SETTING_SECOND, "", RESTART, "Most that one connection of a validation may take to come about.") \
    X(validation_max_in_flight, INTEGER, "validation.max-in-flight", "32768", SAME, 1, 1000000, "", RESTART, \
      "Most validations at once; the rest wait, accounts taking turns.") \
    X(validation_max_per_account, INTEGER, "validation.max-per-account", "1024", SAME, 1, 1000000, "", RESTART, \
      "Most validations of one account at once; the rest wait.") \
    X(validation_max_per_name, INTEGER, "validation.max-per-name", "16", SAME, 1, 1000000, "", RESTART, \
      "Most validations of one name at once; the rest wait.") \
    X(validation_allow_addresses, NETWORKS, "validation.allow-addresses", "loopback,private,self", "private", 0, 0, \
      "loopback|private|self|link-local|metadata|multicast|shared|documentation|benchmark|unspecified|mapped|tunnel|" \
      "protocol", RESTART, "Reserved addresses that validations may connect to; they stay away from all others.") \
    X(validation_show_records, BOOL, "validation.show-records", "true", "false", 0, 0, "", RESTART, \
      "Challenges that were tried have validationRecord, as Boulder's: hosts, ports and addresses that were met, and " \
      "whom DNS asked.") \
    X(caa_mode, CHOICE, "caa.mode", "enforce", SAME, 0, 0, "off|warn|enforce", RESTART, \
      "What becomes of CAA records: not asked for, only warned of, or obeyed. Names in dns.hosts have none.") \
    X(caa_recheck_after_ms, DURATION, "caa.recheck-after", "7h", SAME, 0, 398 * SETTING_DAY, "", RESTART, \
      "How old a proof may be at finalize before CAA is asked again; public CAs may let pass 8h. 0s asks always.") \
    X(dns_server, RESOLVER, "dns.server", "", SAME, 0, 0, "", RESTART, \
      "DNS server to forward questions to.") \
    X(dns_resolver, CHOICE, "dns.resolver", "auto", SAME, 0, 0, "auto|forward|system|recursive", RESTART, \
      "Who answers: dns.server, the servers of /etc/resolv.conf, or from the root down the authoritative servers " \
      "themselves, with DNSSEC where the distribution's trust anchor is installed; auto: dns.server, else the system.") \
    X(dns_trust_anchor, TEXT, "dns.trust-anchor", "", SAME, 0, 0, "", RESTART, \
      "File with DNSSEC trust anchors that answers are held against, instead of the distribution's.") \
    X(dns_timeout_ms, DURATION, "dns.timeout", "5s", SAME, 100, 600 * SETTING_SECOND, "", RESTART, \
      "Most that one DNS question may take.") \
    X(dns_hosts, HOSTS, "dns.hosts", SETTING_LAB_HOSTS, "", 0, 0, "", RESTART, \
      "Addresses of names that are not asked of DNS; \"*.name\" stands for everything below it. The default gives way " \
      "to a dns.server.") \
    X(ca_key_type, CHOICE, "ca.key-type", "p-256", SAME, 0, 0, "p-256|p-384|rsa-2048|rsa-4096", RESTART, \
      "Kind of the root's and the intermediate's key, used when they are made.") \
    X(ca_name, TEXT, "ca.name", "Caraway", SAME, 0, 0, "", RESTART, \
      "Organisation in the names of root and intermediate, used when they are made.") \
    X(ca_lifetime_ms, DURATION, "ca.lifetime", "90d", SAME, 60 * SETTING_SECOND, 398 * SETTING_DAY, "", RESTART, \
      "How long a certificate is valid, ca.backdate included.") \
    X(ca_alternate_chains, INTEGER, "ca.alternate-chains", "0", SAME, 0, 16, "", RESTART, \
      "Further roots that sign the same intermediate key: chains a client may ask for by Link: rel=alternate.") \
    X(profile_default, CHOICE, "profile.default", "classic", SAME, 0, 0, "classic|tlsserver|shortlived", RESTART, \
      "Profile of orders that name none.") \
    X(ca_backdate_ms, DURATION, "ca.backdate", "1h", SAME, 0, SETTING_DAY, "", RESTART, \
      "How far before its signature a certificate's validity begins, for clients whose clock is behind.") \
    X(ca_signing_threads, INTEGER, "ca.signing-threads", "0", SAME, 0, 256, "", RESTART, \
      "Threads that sign; 0 means one for each CPU.") \
    X(storage_driver, CHOICE, "storage.driver", "lmdb", SAME, 0, 0, "lmdb|memory", RESTART, \
      "Where records are kept: in the data directory, or only in memory until the server stops.") \
    X(storage_max_size_bytes, SIZE, "storage.max-size", "64GiB", SAME, SETTING_MIB, 64 * SETTING_TIB, "", RESTART, \
      "Most that the database may grow to.") \
    X(storage_sync, BOOL, "storage.sync", "true", SAME, 0, 0, "", RESTART, \
      "Wait for the disk before answering; without it a power failure may lose the last second.") \
    X(retention_orders_ms, DURATION, "retention.orders", "30d", SAME, 0, 36500 * SETTING_DAY, "", RESTART, \
      "How long an order is kept after its expiry; 0 means for ever.") \
    X(retention_authorizations_ms, DURATION, "retention.authorizations", "30d", SAME, 0, 36500 * SETTING_DAY, "", \
      RESTART, "How long an authorization, with what its validators saw, is kept after its expiry; 0 means for ever.") \
    X(retention_certificates_ms, DURATION, "retention.certificates", "90d", SAME, 0, 36500 * SETTING_DAY, "", \
      RESTART, "How long a certificate is kept after its expiry; 0 means for ever.") \
    X(retention_unused_accounts_ms, DURATION, "retention.unused-accounts", "0s", SAME, 0, 36500 * SETTING_DAY, "", \
      RESTART, "How long an account without an order or a certificate is kept after it was made; 0 means for ever.") \
    X(retention_webhook_events_ms, DURATION, "retention.webhook-events", "30d", SAME, 0, 36500 * SETTING_DAY, "", \
      RESTART, "How long an event is kept whose delivery was given up; 0 means for ever.") \
    X(order_lifetime_ms, DURATION, "order.lifetime", "7d", SAME, SETTING_SECOND, 365 * SETTING_DAY, "", RESTART, \
      "How long an order may stay unfinished.") \
    X(order_max_identifiers, INTEGER, "order.max-identifiers", "100", SAME, 1, CSR_MAX_NAMES, "", RESTART, \
      "Most names in one order.") \
    X(finalize_mode, CHOICE, "finalize.mode", "sync", SAME, 0, 0, "sync|async", RESTART, \
      "Whether finalize answers with the valid order, or with one in processing that the client polls.") \
    X(authorization_lifetime_ms, DURATION, "authorization.lifetime", "7d", SAME, SETTING_SECOND, \
      365 * SETTING_DAY, "", RESTART, "How long an authorization may stay pending.") \
    X(authorization_subdomains, BOOL, "authorization.subdomains", "true", SAME, 0, 0, "", RESTART, \
      "A proof for a domain may cover the names below it when the client asks so (RFC 9444).") \
    X(authorization_valid_lifetime_ms, DURATION, "authorization.valid-lifetime", "30d", SAME, SETTING_SECOND, \
      398 * SETTING_DAY, "", RESTART, "How long a valid authorization may be used again.") \
    X(account_max_contacts, INTEGER, "account.max-contacts", "10", SAME, 0, 100, "", RESTART, \
      "Most contact addresses of one account.") \
    X(retry_after_order_ms, DURATION, "retry-after.order", "3s", SAME, 0, SETTING_DAY, "", RESTART, \
      "When a client may ask again for an order that is being worked on.") \
    X(retry_after_authorization_ms, DURATION, "retry-after.authorization", "1s", SAME, 0, SETTING_DAY, "", RESTART, \
      "When a client may ask again for an authorization that is being validated.") \
    X(limits_preset, CHOICE, "limits.preset", "letsencrypt-staging", "private", 0, 0, \
      "letsencrypt|letsencrypt-staging|private|off", RESTART, "Whose rate limits apply; each one can be set apart.") \
    X(limits_exempt_loopback, BOOL, "limits.exempt-loopback", "true", SAME, 0, 0, "", RESTART, \
      "Limits per address do not count this machine's own clients.") \
    X(limits_requests, BOOL, "limits.requests", "true", SAME, 0, 0, "", RESTART, \
      "The presets of Let's Encrypt also limit the requests per second from one address to one endpoint (503).") \
    X(limits_headers, BOOL, "limits.headers", "false", SAME, 0, 0, "", RESTART, \
      "Answers to new-account and new-order carry RateLimit-Policy and RateLimit: what each limit has left.") \
    X(limits_help_url, URL, "limits.help-url", "https://letsencrypt.org/docs/rate-limits/", SAME, 0, 0, "", RESTART, \
      "Page about the limits: in the Link header and the sentence of a refusal.") \
    X(limits_new_accounts_per_address, RATE, "limits.new-accounts-per-address", "", SAME, 0, 0, "", RESTART, \
      "New accounts from one address.") \
    X(limits_new_accounts_per_network, RATE, "limits.new-accounts-per-network", "", SAME, 0, 0, "", RESTART, \
      "New accounts from one /48 of IPv6 addresses.") \
    X(limits_new_orders_per_account, RATE, "limits.new-orders-per-account", "", SAME, 0, 0, "", RESTART, \
      "New orders of one account.") \
    X(limits_failed_authorizations_per_name, RATE, "limits.failed-authorizations-per-name", "", SAME, 0, 0, "", RESTART, \
      "Failed authorizations of one name for one account.") \
    X(limits_certificates_per_domain, RATE, "limits.certificates-per-domain", "", SAME, 0, 0, "", RESTART, \
      "Certificates for one registered domain, an IPv4 address or an IPv6 /64.") \
    X(limits_certificates_per_domain_and_account, RATE, "limits.certificates-per-domain-and-account", "", SAME, 0, 0, "", RESTART, \
      "The same for one account; an override for it takes the place of the shared limit.") \
    X(limits_certificates_per_exact_set, RATE, "limits.certificates-per-exact-set", "", SAME, 0, 0, "", RESTART, \
      "Certificates for exactly the same names.") \
    X(limits_failed_authorizations_before_pause, RATE, "limits.failed-authorizations-before-pause", "", SAME, 0, 0, "", RESTART, \
      "Failures in a row after which orders for the name are paused.") \
    X(policy_allow_names, PATTERNS, "policy.allow-names", "", SAME, 0, 0, "", RESTART, \
      "Names that certificates may have; *.NAME stands for all below it. Empty allows every name.") \
    X(policy_deny_names, PATTERNS, "policy.deny-names", "", SAME, 0, 0, "", RESTART, \
      "Names that no certificate has, nor a wildcard that holds one of them.") \
    X(policy_public_names_only, BOOL, "policy.public-names-only", "false", SAME, 0, 0, "", RESTART, \
      "Only names below a suffix of the public suffix list are issued for, and none that is such a suffix.") \
    X(policy_approval_url, URL, "policy.approval-url", "", SAME, 0, 0, "", RESTART, \
      "Service that is asked before an order is made, and may refuse it with a sentence for the client.") \
    X(policy_approval_timeout_ms, DURATION, "policy.approval-timeout", "5s", SAME, 10, 60 * SETTING_SECOND, "", RESTART, \
      "Most that its answer may take.") \
    X(policy_approval_failure, CHOICE, "policy.approval-failure", "closed", SAME, 0, 0, "open|closed", RESTART, \
      "Whether orders are made or refused while it gives no answer.") \
    X(webhook_url, URL, "webhook.url", "", SAME, 0, 0, "", RESTART, \
      "Service that is told what happens; empty tells nobody.") \
    X(webhook_secret_file, TEXT, "webhook.secret-file", "", SAME, 0, 0, "", RESTART, \
      "File with the secret that signs what is posted there and to policy.approval-url.") \
    X(webhook_events, CHOICES, "webhook.events", \
      "certificate.issued,certificate.revoked,certificate.expiring,order.refused", SAME, 0, 0, \
      "certificate.issued|certificate.revoked|certificate.expiring|order.refused", RESTART, "What it is told.") \
    X(webhook_timeout_ms, DURATION, "webhook.timeout", "10s", SAME, 10, 60 * SETTING_SECOND, "", RESTART, \
      "Most that one delivery may take.") \
    X(webhook_retry_for_ms, DURATION, "webhook.retry-for", "3d", SAME, 0, 365 * SETTING_DAY, "", RESTART, \
      "How long the delivery of an event is tried; then it waits for caraway webhook retry.") \
    X(webhook_queue, INTEGER, "webhook.queue", "100000", SAME, 1, 10000000, "", RESTART, \
      "Most events that wait; further ones are dropped, refusals at half of it.") \
    X(webhook_expiry_notice_ms, DURATION, "webhook.expiry-notice", "14d", SAME, SETTING_SECOND, 365 * SETTING_DAY, "", \
      RESTART, "How long before its end a certificate is told to expire, unless a newer one has its names.") \
    X(outbound_ca_file, TEXT, "outbound.ca-file", "", SAME, 0, 0, "", RESTART, \
      "Authorities (PEM) that vouch for the services above; empty: the system's.") \
    X(web_threads, INTEGER, "web.threads", "0", SAME, 0, 256, "", RESTART, \
      "Threads that serve HTTPS; 0 means one for each CPU.") \
    X(web_max_connections, INTEGER, "web.max-connections", "4096", SAME, 8, 1000000, "", RESTART, \
      "Most connections at once; further ones wait.") \
    X(web_max_connections_per_address, INTEGER, "web.max-connections-per-address", "0", "512", 0, 1000000, "", \
      RESTART, "Most connections at once from one address; 0 means no limit.") \
    X(web_idle_timeout_ms, DURATION, "web.idle-timeout", "75s", SAME, SETTING_SECOND, SETTING_HOUR, "", RESTART, \
      "How long a connection may stay idle between requests.") \
    X(web_request_timeout_ms, DURATION, "web.request-timeout", "10s", SAME, SETTING_SECOND, SETTING_HOUR, "", \
      RESTART, "Most that a client may take to send one request, or to read its answer, which has a second more for each " \
      "8 KiB.") \
    X(shutdown_timeout_ms, DURATION, "shutdown-timeout", "10s", SAME, 0, SETTING_HOUR, "", RESTART, \
      "How long a stopping server finishes what is in flight.") \
    X(log_level, CHOICE, "log.level", "info", SAME, 0, 0, "debug|info|warning|error", RESTART, \
      "Least weight of an event that is logged.") \
    X(log_format, CHOICE, "log.format", "auto", SAME, 0, 0, "auto|text|json", RESTART, \
      "Form of the log on standard error; auto writes text to a terminal and JSON elsewhere.")
/* clang-format on */
