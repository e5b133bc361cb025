# One path with glmnet, or its cross-validation, timed inside R.
# Rscript glmnet_path.R FOLDER N P REPEATS SECONDS THRESH FAMILY INTERCEPT FOLDS
# FOLDER holds X.bin (column-major), y.bin, alphas.bin, maybe weights.bin; coef.bin and times.bin are written there.
# There are at least REPEATS runs, and for SECONDS after the first.
arguments <- commandArgs(trailingOnly = TRUE)
folder <- arguments[1]
n <- as.integer(arguments[2])
p <- as.integer(arguments[3])
repeats <- as.integer(arguments[4])
seconds <- as.numeric(arguments[5])
thresh <- as.numeric(arguments[6])
family <- arguments[7]
intercept <- as.logical(arguments[8])
folds <- as.integer(arguments[9])  # 0: a path
suppressMessages(library(glmnet))

read <- function(name, size) readBin(file.path(folder, name), "double", n = size)
if (file.exists(file.path(folder, "indptr.bin"))) {
  suppressMessages(library(Matrix))
  size <- file.info(file.path(folder, "X.bin"))$size / 8
  indices <- readBin(file.path(folder, "indices.bin"), "integer", n = size)
  indptr <- readBin(file.path(folder, "indptr.bin"), "integer", n = p + 1)
  X <- new("dgCMatrix", i = indices, p = indptr, x = read("X.bin", size), Dim = c(n, p))
} else {
  X <- matrix(read("X.bin", as.numeric(n) * p), n, p)
}
y <- read("y.bin", n)
weights <- if (file.exists(file.path(folder, "weights.bin"))) read("weights.bin", n) else NULL
alphas <- read("alphas.bin", file.info(file.path(folder, "alphas.bin"))$size / 8)
glmnet.control(fdev = 0, devmax = 1, epsnr = 1e-12, mxitnr = 1000)

# blocks of consecutive samples, the first n %% folds of them one larger
foldid <- if (folds > 0) rep(seq_len(folds), n %/% folds + (seq_len(folds) <= n %% folds))

times <- numeric(0)
while (length(times) < repeats || sum(times[-1]) < seconds) {
  begin <- Sys.time()
  if (folds > 0) {
    cv.glmnet(X, y, family = family, lambda = alphas, intercept = intercept, foldid = foldid,
              standardize = FALSE, thresh = thresh, maxit = 1e8)
  } else fit <- glmnet(X, y, weights = weights, family = family, lambda = alphas, intercept = intercept,
                standardize = FALSE, thresh = thresh, maxit = 1e8)
  times[length(times) + 1] <- as.numeric(difftime(Sys.time(), begin, units = "secs"))
}
writeBin(times, file.path(folder, "times.bin"))
cat(as.character(packageVersion("glmnet")))
if (folds > 0) quit()
betas <- if (family == "multinomial") fit$beta else list(fit$beta)
coefficients <- unlist(lapply(betas, function(beta) as.vector(as.matrix(beta))))
writeBin(coefficients, file.path(folder, "coef.bin"))
