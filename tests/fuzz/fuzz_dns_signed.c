#include "test-client/dns_rdata.h"
#include "test-client/mock_zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(struct bytes answer)
{
    struct dns_reader reader = { answer, 0 };
    struct dns_header header;
    struct dns_question question;
    struct dns_record record;
    CHECK(dns_read_header(&reader, &header));
    for (unsigned i = 0; i < header.counts[DNS_QUESTIONS]; i++)
        CHECK(dns_read_question(&reader, &question));
    for (unsigned i = header.counts[DNS_ANSWERS] + header.counts[DNS_AUTHORITIES] + header.counts[DNS_ADDITIONALS];
         i > 0; i--)
        CHECK(dns_read_record(&reader, &record));
    CHECK(reader.at == answer.len);
}

/* The first two bytes are a type, the rest a query to a zone that says no, and data of that type. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct bytes rest = bytes_of(data + 2, size - 2);
    AUTO(mock_zone) zone = mock_zone_create();
    AUTO_BUF(answer, 2 * DNS_MESSAGE_MAX);
    AUTO_BUF(text, 8 * DNS_MESSAGE_MAX);
    (void)!dns_rdata_text((enum dns_type)(data[0] << 8 | data[1]), rest, &text);
    CHECK(zone != NULL && mock_zone_sign(zone, ".") && mock_zone_sign(zone, "a.test"));
    CHECK(mock_zone_set_trouble(zone, "*.gone.a.test", MOCK_NXDOMAIN, 1));
    CHECK(mock_zone_set_trouble(zone, "b", MOCK_NXDOMAIN, 1));
    mock_zone_answer(zone, rest, DNS_OVER_STREAM, &answer);
    CHECK(!answer.failed);
    if (answer.len > 0)
        check_answer(buf_bytes(&answer));
    return 0;
}
