/* finalize with right and wrong CSRs, and what must be true of a certificate. */
#include "tests/scenarios/runner.h"

#include "base/clock_text.h"
#include "base/encode.h"
#include "base/world.h"

#include "test-client/chain.h"
#include "test-client/csr_make.h"
#include "test-client/file.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <time.h>

DEFINE_DROP_TYPE(X509_STORE, X509_STORE_free)
DEFINE_DROP_TYPE(X509_STORE_CTX, X509_STORE_CTX_free)
DEFINE_DROP_TYPE(GENERAL_NAMES, GENERAL_NAMES_free)

static inline void pile_free(STACK_OF(X509) * pile)
{
    sk_X509_pop_free(pile, X509_free);
}
typedef STACK_OF(X509) x509_pile;
DEFINE_DROP_TYPE(x509_pile, pile_free)

enum { PAYLOAD_MAX = 512 << 10, PEM_MAX = 1 << 20, HOUR_S = 3600, DAY_S = 86400 };

/* ---- finalize ORDER [key=TYPE|key=:NAME] [names=A,B] [cn=NAME] [mistake=…] */

struct csr_plan {
    struct jwk *key; /* loan */
    struct acme_identifier *identifiers;
    size_t count;
    const char *mistake, *common_name; /* NULL: none */
};

static bool plan_key(struct scenario *s, struct order *order, const char *word, struct csr_plan *plan)
{
    if (word[0] == ':') {
        plan->key = key_find(s, word + 1);
        return plan->key != NULL;
    }
    AUTO_TYPE(EVP_PKEY) made = key_make(s, word);
    TRY(made != NULL && key_keep(s, order->name, jwk_from_pkey(made)));
    plan->key = key_find(s, order->name);
    return plan->key != NULL;
}

static bool plan_names(struct scenario *s, const char *list, struct csr_plan *plan)
{
    plan->count = 0;
    plan->identifiers = arena_array(s->arena, strlen(list) + 1, sizeof *plan->identifiers);
    while (plan->identifiers != NULL && *list != '\0') {
        size_t len = strcspn(list, ",");
        bool ip = strncmp(list, "ip:", 3) == 0;
        const char *value = arena_text_of(s->arena, bytes_of(list + (ip ? 3 : 0), len - (ip ? 3 : 0)));
        plan->identifiers[plan->count++] = (struct acme_identifier) { ip ? IDENTIFIER_IP : IDENTIFIER_DNS, value };
        list += len + (list[len] == ',');
    }
    return plan->identifiers != NULL || fail(s, "out of memory");
}

static bool read_plan(struct scenario *s, struct order *order, words w, struct csr_plan *plan)
{
    const char *key = "p-256";
    for (; *w != NULL; w++) {
        if (strncmp(*w, "key=", 4) == 0)
            key = *w + 4;
        else if (strncmp(*w, "names=", 6) == 0)
            TRY(plan_names(s, *w + 6, plan));
        else if (strncmp(*w, "cn=", 3) == 0)
            plan->common_name = *w + 3;
        else if (strncmp(*w, "mistake=", 8) == 0)
            plan->mistake = *w + 8;
        else
            return fail(s, "finalize knows no \"%s\"", *w);
    }
    return plan_key(s, order, key, plan);
}

static bool apply_mistake(struct scenario *s, const char *mistake, struct buf *der, struct buf *text)
{
    if (strcmp(mistake, "signature") == 0)
        der->data[der->len - 1] ^= 1;
    else if (strcmp(mistake, "trailing") == 0)
        buf_char(der, 'x');
    else if (strcmp(mistake, "short") == 0)
        der->len--;
    else if (strcmp(mistake, "padding") != 0)
        return fail(s, "there is no mistake \"%s\"", mistake);
    buf_b64url(text, buf_bytes(der));
    if (strcmp(mistake, "padding") == 0)
        buf_text(text, text->len % 4 == 2 ? "==" : "="); /* also where the length needs none */
    return true;
}

static bool put_common_name(struct scenario *s, const struct csr_plan *plan, struct buf *der)
{
    const unsigned char *in = (const unsigned char *)der->data;
    unsigned char *made = NULL;
    AUTO_TYPE(X509_REQ) csr = d2i_X509_REQ(NULL, &in, (long)der->len);
    if (csr == NULL ||
        X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(csr), "CN", MBSTRING_UTF8,
                                   (const unsigned char *)plan->common_name, -1, -1, 0) != 1 ||
        X509_REQ_sign(csr, jwk_pkey(plan->key), EVP_sha256()) <= 0)
        return fail(s, "cannot put the name into the CSR");
    int len = i2d_X509_REQ(csr, &made);
    buf_clear(der);
    buf_append(der, made, len > 0 ? (size_t)len : 0);
    OPENSSL_free(made);
    return len > 0;
}

static bool write_csr(struct scenario *s, const struct csr_plan *plan, struct buf *out)
{
    AUTO_BUF(der, TC_CSR_MAX);
    AUTO(tc_csr_key) key = tc_csr_key_create(jwk_pkey(plan->key));
    if (key == NULL || !tc_csr_make(key, plan->identifiers, plan->count, &der))
        return fail(s, "cannot make the CSR");
    TRY(plan->common_name == NULL || put_common_name(s, plan, &der));
    if (plan->mistake != NULL)
        return apply_mistake(s, plan->mistake, &der, out);
    buf_b64url(out, buf_bytes(&der));
    return true;
}

bool play_finalize(struct scenario *s, words w, size_t count)
{
    (void)count;
    struct order *order = order_find(s, w[0]);
    AUTO_BUF(csr, PAYLOAD_MAX);
    AUTO_BUF(payload, PAYLOAD_MAX);
    TRY(order != NULL);
    struct csr_plan plan = { .identifiers = order->identifiers, .count = order->identifier_count };
    char **command = w + 1;
    while (*command != NULL && strcmp(*command, "during") != 0)
        command++;
    if (*command != NULL)
        *command++ = NULL;
    TRY(read_plan(s, order, w + 1, &plan) && write_csr(s, &plan, &csr));
    buf_printf(&payload, "{\"csr\":\"%s\"}", buf_str(&csr));
    TRY(client_post_during(s, order->client, order->finalize, buf_str(&payload), command));
    AUTO_BUF(certificate, PAYLOAD_MAX);
    if (s->refused || !variable_get(s, "body.certificate", &certificate))
        return true;
    order->certificate = arena_text(s->arena, buf_str(&certificate));
    return order->certificate != NULL && variable_setf(s, order->certificate, "%s.certificate", order->name);
}

/* ---- certificate ORDER */

static bool keep_time(struct scenario *s, const struct order *order, const ASN1_TIME *time, const char *name)
{
    struct tm parts;
    char text[TIME_TEXT_SIZE];
    if (ASN1_TIME_to_tm(time, &parts) != 1)
        return fail(s, "the certificate's %s is none", name);
    time_text((int64_t)timegm(&parts) * 1000, text);
    return variable_setf(s, text, "%s.%s", order->name, name);
}

static bool keep_names(struct scenario *s, const struct order *order, X509 *leaf)
{
    char subject[1024];
    AUTO_BUF(extensions, PAYLOAD_MAX);
    X509_NAME_oneline(X509_get_subject_name(leaf), subject, sizeof subject);
    for (int i = 0; i < X509_get_ext_count(leaf); i++)
        buf_printf(&extensions, "%s%s", i > 0 ? " " : "",
                   OBJ_nid2sn(OBJ_obj2nid(X509_EXTENSION_get_object(X509_get_ext(leaf, i)))));
    return variable_setf(s, subject, "%s.subject", order->name) &&
           variable_setf(s, buf_str(&extensions), "%s.extensions", order->name);
}

/* ORDER.serial as the server writes it, ORDER.ari as RFC 9773 §4.1 has it */
static bool keep_ids(struct scenario *s, const struct order *order, X509 *leaf)
{
    AUTO_BUF(serial, PAYLOAD_MAX);
    AUTO_BUF(ari, PAYLOAD_MAX);
    unsigned char der[64], *end = der;
    const ASN1_OCTET_STRING *authority = X509_get0_authority_key_id(leaf);
    int len = i2d_ASN1_INTEGER(X509_get0_serialNumber(leaf), NULL);
    if (authority == NULL || len < 3 || len > (int)sizeof der)
        return fail(s, "the certificate lacks its authority's key id, or its serial is too long");
    i2d_ASN1_INTEGER(X509_get0_serialNumber(leaf), &end);
    struct bytes content = bytes_of(der + 2, (size_t)len - 2);
    buf_hex(&serial, content);
    buf_b64url(&ari, bytes_of(ASN1_STRING_get0_data(authority), (size_t)ASN1_STRING_length(authority)));
    buf_char(&ari, '.');
    buf_b64url(&ari, content);
    return variable_setf(s, buf_str(&serial), "%s.serial", order->name) &&
           variable_setf(s, buf_str(&ari), "%s.ari", order->name);
}

/* What scripts may want: ORDER.pem, ORDER.der (base64url, as revoke-cert takes it), ORDER.notBefore and .notAfter */
static bool keep_certificate(struct scenario *s, const struct order *order)
{
    char why[TC_WHY_SIZE];
    struct tc_chain chain;
    unsigned char *der = NULL;
    if (!tc_chain_read(buf_bytes(&s->last.body), &chain, why))
        return fail(s, "%s", why);
    AUTO_TYPE(X509) leaf = chain.leaf;
    AUTO_BUF(text, PAYLOAD_MAX);
    int len = i2d_X509(leaf, &der);
    buf_b64url(&text, bytes_of(der, len > 0 ? (size_t)len : 0));
    OPENSSL_free(der);
    return variable_setf(s, buf_str(&text), "%s.der", order->name) &&
           variable_setf(s, buf_str(&s->last.body), "%s.pem", order->name) && keep_names(s, order, leaf) &&
           keep_ids(s, order, leaf) && keep_time(s, order, X509_get0_notBefore(leaf), "notBefore") &&
           keep_time(s, order, X509_get0_notAfter(leaf), "notAfter");
}

bool play_certificate(struct scenario *s, words w, size_t count)
{
    (void)count;
    struct order *order = order_find(s, w[0]);
    if (order == NULL || order->certificate == NULL)
        return fail(s, "the order has no certificate");
    TRY(client_post(s, order->client, order->certificate, NULL));
    return s->refused || keep_certificate(s, order);
}

/* ---- verify ORDER [DAYS|HOURSh|any] */

/* RFC 8555 §9.1: nothing but certificates, in the strict form of RFC 7468. [8555-9.1-1] [8555-9.1-2] */
static bool check_strict(struct scenario *s, x509_pile *pile, const struct buf *pem)
{
    AUTO_BUF(strict, PEM_MAX);
    for (int i = 0; i < sk_X509_num(pile); i++) {
        unsigned char *der = NULL;
        int len = i2d_X509(sk_X509_value(pile, i), &der);
        crypto_pem(&strict, "CERTIFICATE", bytes_of(der, len > 0 ? (size_t)len : 0));
        OPENSSL_free(der);
    }
    return bytes_equal(buf_bytes(&strict), buf_bytes(pem)) || fail(s, "the chain is not in strict PEM");
}

static bool read_pile(struct scenario *s, const char *name, x509_pile **out)
{
    AUTO_BUF(pem, PEM_MAX);
    AUTO_TYPE(x509_pile) pile = sk_X509_new_null();
    if (!variable_get(s, name, &pem) || pile == NULL)
        return fail(s, "the order has no certificate yet");
    if (pem.len == 0 || pem.data[pem.len - 1] != '\n')
        return fail(s, "the chain does not end with a newline");
    AUTO_TYPE(BIO) source = BIO_new_mem_buf(pem.data, (int)pem.len);
    for (X509 *one; source != NULL && (one = PEM_read_bio_X509(source, NULL, NULL, NULL)) != NULL;)
        sk_X509_push(pile, one);
    if (sk_X509_num(pile) < 2)
        return fail(s, "the chain has %d certificates", sk_X509_num(pile));
    TRY(check_strict(s, pile, &pem));
    *out = TAKE(pile);
    return true;
}

static bool read_root(struct scenario *s, X509 **out)
{
    char path[256], why[TC_WHY_SIZE];
    AUTO_BUF(pem, PEM_MAX);
    snprintf(path, sizeof path, "%s/data/ca/root.pem", s->folder);
    if (!tc_file_read(path, &pem, why))
        return fail(s, "%s", why);
    AUTO_TYPE(BIO) source = BIO_new_mem_buf(pem.data, (int)pem.len);
    *out = source != NULL ? PEM_read_bio_X509(source, NULL, NULL, NULL) : NULL;
    return *out != NULL || fail(s, "there is no root in %s", path);
}

static bool check_chain(struct scenario *s, x509_pile *pile)
{
    AUTO_TYPE(X509) root = NULL;
    AUTO_TYPE(X509_STORE) store = X509_STORE_new();
    AUTO_TYPE(X509_STORE_CTX) context = X509_STORE_CTX_new();
    TRY(read_root(s, &root));
    for (int i = 0; i < sk_X509_num(pile); i++) {
        if (X509_cmp(sk_X509_value(pile, i), root) == 0)
            return fail(s, "the chain holds the root");
    }
    if (store == NULL || context == NULL || X509_STORE_add_cert(store, root) != 1 ||
        X509_STORE_CTX_init(context, store, sk_X509_value(pile, 0), pile) != 1)
        return fail(s, "out of memory");
    X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER);
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context),
                               (time_t)((world_now_ms(world_real()) + s->offset_ms) / 1000));
    X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context), X509_V_FLAG_X509_STRICT);
    return X509_verify_cert(context) == 1 ||
           fail(s, "the chain is not good: %s", X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
}

static bool has_name(const GENERAL_NAMES *names, const struct acme_identifier *identifier)
{
    uint8_t address[16];
    struct bytes wanted = bytes_text(identifier->value);
    bool ip = identifier->type == IDENTIFIER_IP, v6 = ip && strchr(identifier->value, ':') != NULL;
    if (ip && inet_pton(v6 ? AF_INET6 : AF_INET, identifier->value, address) == 1)
        wanted = bytes_of(address, v6 ? 16 : 4);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        const ASN1_STRING *text = name->type == (ip ? GEN_IPADD : GEN_DNS) ? name->d.ia5 : NULL;
        if (text != NULL &&
            bytes_equal(wanted, bytes_of(ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text))))
            return true;
    }
    return false;
}

static bool check_names(struct scenario *s, const struct order *order, X509 *leaf)
{
    AUTO_TYPE(GENERAL_NAMES) names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    if (names == NULL || sk_GENERAL_NAME_num(names) != (int)order->identifier_count)
        return fail(s, "the certificate has not the %zu names of the order", order->identifier_count);
    for (size_t i = 0; i < order->identifier_count; i++) {
        if (!has_name(names, &order->identifiers[i]))
            return fail(s, "the certificate lacks the name %s", order->identifiers[i].value);
    }
    return true;
}

/* RFC 5280 §4.1.2.5: both ends belong to the lifetime. */
static bool check_lifetime(struct scenario *s, X509 *leaf, const char *days)
{
    int lived, seconds;
    char *unit;
    long wanted = strtol(days, &unit, 10) * (*unit == 'h' ? HOUR_S : DAY_S);
    if (strcmp(days, "any") == 0)
        return true;
    if (ASN1_TIME_diff(&lived, &seconds, X509_get0_notBefore(leaf), X509_get0_notAfter(leaf)) != 1)
        return fail(s, "the certificate's times are none");
    return (long)lived * DAY_S + seconds + 1 == wanted ||
           fail(s, "the certificate lives %d days and %d seconds", lived, seconds);
}

bool play_verify(struct scenario *s, words w, size_t count)
{
    struct order *order = order_find(s, w[0]);
    AUTO_TYPE(x509_pile) pile = NULL;
    TRY(order != NULL && read_pile(s, arena_printf(s->arena, "%s.pem", order->name), &pile));
    X509 *leaf = sk_X509_value(pile, 0);
    struct jwk *key = key_find(s, order->name);
    if (key == NULL || EVP_PKEY_eq(X509_get0_pubkey(leaf), jwk_pkey(key)) != 1)
        return fail(s, "the certificate's key is not the CSR's"); /* [8555-9.1-3] */
    return check_chain(s, pile) && check_names(s, order, leaf) && check_lifetime(s, leaf, count > 1 ? w[1] : "90");
}
