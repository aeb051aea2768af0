# costs.awk costs.txt FOLDED: share in percent, label and floor of each row of costs.txt that the folded profile has,
# tab-separated, largest first.
BEGIN { FS = OFS = "\t" }
/^#/ { next }
FNR == NR { label[++rows] = $1; floor[rows] = $2; pattern[rows] = $3; next }
{
    count = $0
    sub(/.* /, "", count)
    total += count
    for (row = 1; row <= rows && $0 !~ pattern[row]; row++)
        ;
    share[row] += count
}
END {
    label[rows + 1] = "everything else"
    floor[rows + 1] = "-"
    for (row = 1; row <= rows + 1; row++)
        if (share[row] > 0)
            printf "%.1f\t%s\t%s\n", 100 * share[row] / total, label[row], floor[row] | "sort -rn"
}
