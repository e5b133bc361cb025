"""An L1 penalty on any smooth function."""
