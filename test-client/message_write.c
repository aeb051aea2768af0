#include "test-client/message.h"

#include "base/encode.h"

void tc_write_new_account(struct buf *out, const char *const *contacts, size_t contact_count)
{
    struct json_out json = JSON_OUT(out, 0);
    json_out_object(&json, NULL);
    json_out_bool(&json, "termsOfServiceAgreed", true);
    if (contact_count > 0) {
        json_out_array(&json, "contact");
        for (size_t i = 0; i < contact_count; i++)
            json_out_text(&json, NULL, contacts[i]);
        json_out_end_array(&json);
    }
    json_out_end_object(&json);
}

void tc_write_new_order(struct buf *out, const struct acme_identifier *identifiers, size_t count)
{
    struct json_out json = JSON_OUT(out, 0);
    json_out_object(&json, NULL);
    json_out_array(&json, "identifiers");
    for (size_t i = 0; i < count; i++) {
        json_out_object(&json, NULL);
        json_out_text(&json, "type", identifier_type_text(identifiers[i].type));
        json_out_text(&json, "value", identifiers[i].value);
        json_out_end_object(&json);
    }
    json_out_end_array(&json);
    json_out_end_object(&json);
}

void tc_write_finalize(struct buf *out, struct bytes csr)
{
    /* base64url needs no JSON escapes, so it is written in place */
    buf_text(out, "{\"csr\":\"");
    buf_b64url(out, csr);
    buf_text(out, "\"}");
}

/* C1 controls are C2 80 to C2 9F in UTF-8. */
void tc_print_harmless(struct buf *out, const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (c[0] == 0xC2 && c[1] >= 0x80 && c[1] <= 0x9F)
            c++;
        else if (c[0] >= 0x20 && c[0] != 0x7F) {
            buf_char(out, (char)c[0]);
            continue;
        }
        buf_char(out, '?');
    }
}

static void print_line(struct buf *out, const char *indent, const struct tc_problem *problem)
{
    buf_text(out, indent);
    if (problem->name != NULL) {
        tc_print_harmless(out, problem->name);
        buf_text(out, ": ");
    }
    tc_print_harmless(out, problem->type);
    if (problem->detail[0] != '\0')
        buf_text(out, ": ");
    tc_print_harmless(out, problem->detail);
    buf_char(out, '\n');
}

void tc_print_problem(struct buf *out, const char *indent, const struct tc_problem *problem)
{
    print_line(out, indent, problem);
    for (size_t i = 0; i < problem->subproblem_count; i++) {
        buf_text(out, "  ");
        print_line(out, indent, &problem->subproblems[i]);
    }
}
