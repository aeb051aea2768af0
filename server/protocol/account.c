#include "server/protocol/account.h"

#include "server/caraway.h"
#include "server/policy/external.h"
#include "server/limits/limit_rules.h"
#include "server/protocol/order.h"
#include "server/web/payload.h"
#include "server/protocol/terms.h"

enum { CONTACT_MAX_BYTES = 320, CANCEL_ORDERS = 200, CANCEL_MAX_BYTES = 8 << 20 };

/* RFC 8555 §7.1.6:   valid ──▶ deactivated (by the client), valid ──▶ revoked (by the server); the operator moves it
 * between valid and suspended */
void account_move(struct account *account, enum account_state to)
{
    CHECK(state_may(&account_states, account->state, to));
    account->state = to;
}

bool account_may_act(const struct account *account, struct acme_problem *problem)
{
    if (account->state == ACCOUNT_VALID)
        return true;
    if (account->state == ACCOUNT_SUSPENDED)
        return problem_fail(problem, PROBLEM_UNAUTHORIZED,
                            "The operator of this server has suspended the account; ask him to resume it");
    return problem_fail_status(problem, PROBLEM_UNAUTHORIZED, 401, "The account of this key is %s", /* §7.3.6 */
                               state_text(&account_states, account->state));
}

bool account_reply(struct request *rq, const struct account *account, int status)
{
    reply_header(rq, "Location", request_url(rq, "/account/%s", account->id));
    const char *orders = request_url(rq, "/account/%s/orders", account->id);
    if (orders == NULL)
        return problem_out_of_memory(&rq->problem);
    struct json_out out = reply_json(rq, status);
    json_out_object(&out, NULL);
    json_out_text(&out, "status", state_text(&account_states, account->state));
    json_out_array(&out, "contact");
    for (size_t i = 0; i < account->contacts.count; i++)
        json_out_text(&out, NULL, account->contacts.items[i]);
    json_out_end_array(&out);
    if (account->terms_agreed_ms != 0)
        json_out_bool(&out, "termsOfServiceAgreed", true);
    if (account->external_binding != NULL)
        json_out_raw(&out, "externalAccountBinding", account->external_binding);
    json_out_text(&out, "orders", orders);
    json_out_time(&out, "createdAt", account->created_ms);
    json_out_end_object(&out);
    return true;
}

/* ---- contacts (RFC 8555 §7.3: mailto without header fields and with one address) */

static bool address_is_plain(const char *address)
{
    const char *at = strchr(address, '@');
    TRY(at != NULL && at != address && at[1] != '\0' && strchr(at + 1, '@') == NULL);
    for (const char *c = address; *c != '\0'; c++)
        TRY(*c > ' ' && *c < 0x7f && strchr("\"(),:;<>[\\]", *c) == NULL);
    return strlen(address) <= CONTACT_MAX_BYTES;
}

static bool check_contact(struct request *rq, const char *contact)
{
    static const char scheme[] = "mailto:";
    if (strncasecmp(contact, scheme, sizeof scheme - 1) != 0)
        return problem_fail(&rq->problem, PROBLEM_UNSUPPORTED_CONTACT,
                            "The contact \"%.100s\" is not a mailto: URL; only these are taken", contact);
    const char *address = contact + sizeof scheme - 1;
    if (strpbrk(address, "?,") != NULL)
        return problem_fail(&rq->problem, PROBLEM_INVALID_CONTACT,
                            "The contact \"%.100s\" must hold one address and no header fields", contact);
    if (!address_is_plain(address))
        return problem_fail(&rq->problem, PROBLEM_INVALID_CONTACT, "\"%.100s\" is not a mail address", address);
    return true;
}

static bool read_contacts(struct request *rq, struct texts *out)
{
    TRY(payload_texts(rq, "contact", (size_t)rq->caraway->settings->account_max_contacts, out));
    for (size_t i = 0; i < out->count; i++)
        TRY(check_contact(rq, out->items[i]));
    return true;
}

/* ---- new-account */

static bool reply_existing(struct request *rq, const struct account *account)
{
    return account_may_act(account, &rq->problem) && account_reply(rq, account, 200);
}

/* False: no account, or the transaction has failed. */
static bool find_by_key(struct store_txn *txn, struct request *rq, struct account *out)
{
    const char *id = store_find(txn, rq->arena, STORE_ACCOUNT_BY_KEY, jwk_thumbprint(rq->key));
    return id != NULL && store_get_account(txn, rq->arena, id, out);
}

struct new_account {
    struct account account;
    bool existed; /* another request with the same key came first */
};

static bool insert_account(struct store_txn *txn, struct request *rq)
{
    struct new_account *state = rq->state;
    struct account existing;
    state->existed = find_by_key(txn, rq, &existing);
    if (state->existed)
        state->account = existing;
    else if (!limit_new_account(txn, rq) || !external_note(txn, rq, &state->account))
        return false;
    else
        store_put_account(txn, &state->account);
    return true;
}

static bool after_insert(struct request *rq)
{
    struct new_account *state = rq->state;
    if (state->existed)
        return reply_existing(rq, &state->account);
    log_event(rq->caraway->log, LOG_ACCOUNT_CREATED, LOG_TEXT("account", state->account.id),
              LOG_TEXT("owner", state->account.owner), LOG_TEXT("peer", rq->peer));
    return account_reply(rq, &state->account, 201);
}

static bool create_account(struct request *rq)
{
    struct new_account *state = arena_alloc(rq->arena, sizeof *state);
    char id[ID_SIZE];
    world_make_id(rq->caraway->world, id);
    if (state == NULL)
        return problem_out_of_memory(&rq->problem);
    struct account *account = &state->account;
    TRY(terms_read(rq, account));
    TRY(read_contacts(rq, &account->contacts));
    TRY(external_check(rq, account));
    account->id = arena_text(rq->arena, id);
    account->key = jwk_json(rq->key);
    account->thumbprint = jwk_thumbprint(rq->key);
    account->created_ms = rq->now_ms;
    account->created_from = rq->peer;
    if (account->id == NULL)
        return problem_out_of_memory(&rq->problem);
    rq->state = state;
    request_submit(rq, insert_account, after_insert);
    return true;
}

bool account_new(struct request *rq)
{
    bool only_existing = false;
    TRY(payload_flag(rq, "onlyReturnExisting", &only_existing));
    struct account existing;
    {
        AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
        if (txn == NULL)
            return problem_from_store(&rq->problem, STORE_NO_MEMORY, "looking for an account");
        if (find_by_key(txn, rq, &existing))
            return reply_existing(rq, &existing);
        if (store_txn_status(txn) != STORE_OK)
            return problem_from_store(&rq->problem, store_txn_status(txn), "looking for an account");
    }
    if (only_existing)
        return problem_fail(&rq->problem, PROBLEM_ACCOUNT_DOES_NOT_EXIST,
                            "This key has no account here, and \"onlyReturnExisting\" forbids making one");
    return create_account(rq);
}

/* ---- account */

/* §7.3.6: what the account still waited for comes to nothing. The youngest orders are the open ones. */
static void cancel_orders(struct store_txn *txn, const char *account)
{
    AUTO(arena) arena = arena_create(CANCEL_MAX_BYTES);
    struct store_page page;
    if (arena == NULL || !store_list(txn, arena, STORE_ORDER_BY_ACCOUNT, account, NULL, CANCEL_ORDERS, true, &page))
        return;
    for (size_t i = 0; i < page.ids.count; i++) {
        struct order order;
        if (!store_get_order(txn, arena, page.ids.items[i], &order) ||
            (order.state != ORDER_PENDING && order.state != ORDER_READY))
            continue;
        order_move(&order, ORDER_INVALID);
        store_put_order(txn, &order);
    }
}

struct update {
    struct texts contacts; /* only if the payload has some */
    bool deactivates;
    struct account account; /* as it is then */
};

/* Into the account as it is now: its owner may have changed since the request came. */
static bool store_update(struct store_txn *txn, struct request *rq)
{
    struct update *update = rq->state;
    struct account *account = &update->account;
    TRY(store_get_account(txn, rq->arena, rq->account.id, account));
    if (json_object_get(rq->payload, "contact") != NULL)
        account->contacts = update->contacts;
    if (update->deactivates) {
        account_move(account, ACCOUNT_DEACTIVATED);
        cancel_orders(txn, account->id);
    }
    store_put_account(txn, account);
    return true;
}

static bool after_update(struct request *rq)
{
    const struct account *account = &((struct update *)rq->state)->account;
    log_event(rq->caraway->log, LOG_ACCOUNT_UPDATED, LOG_TEXT("account", account->id),
              LOG_TEXT("status", state_text(&account_states, account->state)));
    return account_reply(rq, account, 200);
}

bool account_post(struct request *rq)
{
    if (strcmp(rq->params[0], rq->account.id) != 0)
        return problem_fail(&rq->problem, PROBLEM_UNAUTHORIZED, "This is the URL of another account");
    if (rq->payload == NULL || json_object_size(rq->payload) == 0)
        return account_reply(rq, &rq->account, 200);
    struct update *update = arena_alloc(rq->arena, sizeof *update);
    if (update == NULL)
        return problem_out_of_memory(&rq->problem);
    const char *status = NULL;
    TRY(payload_text(rq, "status", &status));
    TRY(read_contacts(rq, &update->contacts));
    /* §7.3.2: any other status, and an agreement to terms, are ignored */
    update->deactivates = status != NULL && strcmp(status, "deactivated") == 0;
    rq->state = update;
    request_submit(rq, store_update, after_update);
    return true;
}
