#include "test-client/mock_zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every name that can be read can be written again, and comes back the same. */
static void check_names(struct bytes message)
{
    struct dns_reader reader = { message, 0 };
    char name[DNS_NAME_SIZE], again[DNS_NAME_SIZE];
    while (reader.at < message.len && dns_read_name(&reader, name)) {
        AUTO_BUF(wire, DNS_NAME_WIRE_MAX);
        dns_write_name(&wire, name);
        struct dns_reader wire_reader = { buf_bytes(&wire), 0 };
        CHECK(!wire.failed && dns_read_name(&wire_reader, again) && strcmp(name, again) == 0);
        CHECK(wire_reader.at == wire.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes message = bytes_of(data, size);
    check_names(message);
    AUTO(mock_zone) zone = mock_zone_create();
    AUTO_BUF(answer, 2 * DNS_MESSAGE_MAX);
    CHECK(zone != NULL && mock_zone_set_default(zone, DNS_A, bytes_text("\x7f\x01\x01\x01")));
    mock_zone_answer(zone, message, DNS_OVER_UDP, &answer);
    struct dns_reader reader = { buf_bytes(&answer), 0 };
    struct dns_header header;
    if (answer.len == 0)
        return 0;
    CHECK(dns_read_header(&reader, &header) && (header.flags & DNS_QR) != 0);
    CHECK(answer.len <= DNS_UDP_BYTES || answer.len <= size + DNS_UDP_BYTES);
    return 0;
}
