# Golden numbers for test_differential.py, from base R (stats::mantelhaen.test, stats::glm), R 4.2.2:
#   Rscript differential.R datamedical.csv > differential_datamedical.csv
# Gender as the data hold it (1 = focal); persons without gender left out; matched on the number right.
d <- read.csv(commandArgs(trailingOnly = TRUE)[1])
d <- d[!is.na(d$gender), ]
items <- d[, 1:100]
group <- d$gender
total <- rowSums(items)
cat("item,chi_square,odds_ratio,uniform,nonuniform,r_square_change\n")
for (name in names(items)) {
  y <- items[[name]]
  counts <- table(group, 1 - y, total)
  counts <- counts[, , apply(counts, 3, function(cell) all(rowSums(cell) > 0)), drop = FALSE]
  mh <- mantelhaen.test(counts, correct = TRUE)
  fits <- lapply(c("y ~ 1", "y ~ total", "y ~ total + group", "y ~ total * group"),
                 function(f) glm(as.formula(f), family = binomial))
  l <- sapply(fits, function(f) as.numeric(logLik(f)))
  n <- length(y)
  r2 <- function(k) (1 - exp(2 * (l[1] - l[k]) / n)) / (1 - exp(2 * l[1] / n))
  cat(sprintf("%s,%.6f,%.6f,%.6f,%.6f,%.6f\n", name, mh$statistic, mh$estimate,
              2 * (l[3] - l[2]), 2 * (l[4] - l[3]), r2(4) - r2(2)))
}
