# acknowledged.awk EXPORT ACKNOWLEDGED: every object that clients know (caraway-client load --record) is in the export
# with what they know of it, and no serial stands for two certificates. Says what is missing; exits with 1 then.

function member(line, name,    at)
{
    at = index(line, "\"" name "\":\"")
    if (at == 0)
        return ""
    line = substr(line, at + length(name) + 4)
    return substr(line, 1, index(line, "\"") - 1)
}

function last_part(url,    parts, count)
{
    count = split(url, parts, "/")
    return parts[count]
}

function wrong(what)
{
    print FILENAME ":" FNR ": " what > "/dev/stderr"
    if (++wrongs == 10)
        exit 1
}

FNR == NR && /^{"account":/ { account[member($0, "id")] = 1 }
FNR == NR && /^{"order":/ {
    id = member($0, "id")
    order_name[id] = member($0, "value")
    order_certificate[id] = member($0, "certificate")
}
FNR == NR && /^{"authorization":/ && member($0, "state") == "valid" { proved[member($0, "value")] = 1 }
FNR == NR && /^{"certificate":/ {
    serial = member($0, "serial")
    certificate[serial] = member($0, "value") " " member($0, "der")
    order_of[serial] = member($0, "order")
}
FNR == NR { next }

$1 == "account" && !(last_part($2) in account) { wrong("no account " $2) }
$1 == "order" && order_name[last_part($2)] != $3 { wrong("no order " $2 " for " $3) }
$1 == "valid" && !($2 in proved) { wrong("no valid authorization for " $2) }
$1 == "certificate" {
    serial = last_part($2)
    if (certificate[serial] != $3 " " $4)
        wrong("no such certificate " $2)
    if (order_certificate[order_of[serial]] != serial)
        wrong("no order with the certificate " $2)
    if (serial in seen && seen[serial] != $4)
        wrong("two certificates have the serial " serial)
    seen[serial] = $4
}
END { exit wrongs > 0 }
