"""The linear transformation agrees with NumPy and with torch.pca_lowrank, and keeps its promises."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cnngen_course.linear import PrincipalComponents, compute_eigenimages, compute_principal_components

QUICK = settings(max_examples=25, deadline=None, derandomize=True)


def make_images(count: int = 60, channels: int = 1, height: int = 4, width: int = 5, seed: int = 0) -> Tensor:
    """Return correlated pictures in double precision: random mixtures of random patterns, off centre."""
    random = torch.Generator().manual_seed(seed)
    size = channels * height * width
    mixing = torch.randn(size, size, generator=random, dtype=torch.float64)
    rows = torch.randn(count, size, generator=random, dtype=torch.float64) @ mixing + 3
    return rows.view(count, channels, height, width)


def compute_covariance(images: Tensor) -> Tensor:
    return images.flatten(1).T.cov()


@pytest.fixture(name="images")
def fixture_images() -> Tensor:
    return make_images()


@pytest.fixture(name="pca")
def fixture_pca(images: Tensor) -> PrincipalComponents:
    return compute_principal_components(images)


def test_variances_and_directions_are_those_of_numpy(images: Tensor, pca: PrincipalComponents) -> None:
    rows = images.flatten(1).numpy()
    values, vectors = np.linalg.eigh(np.cov(rows, rowvar=False))
    np.testing.assert_allclose(pca.variances.numpy(), values[::-1], atol=1e-9)
    alike = np.abs((pca.directions.numpy() * vectors[:, ::-1]).sum(axis=0))  # 1 where equal but for the sign
    np.testing.assert_allclose(alike, 1, atol=1e-6)
    np.testing.assert_allclose(pca.mean.numpy(), rows.mean(axis=0).reshape(1, 4, 5))


def test_variances_are_those_of_pca_lowrank(images: Tensor, pca: PrincipalComponents) -> None:
    _, deviations, directions = torch.pca_lowrank(images.flatten(1), q=20, center=True, niter=4)
    torch.testing.assert_close(pca.variances, deviations.square() / (len(images) - 1))
    torch.testing.assert_close((pca.directions * directions).sum(dim=0).abs(), torch.ones(20, dtype=torch.float64))


@QUICK
@given(seed=st.integers(0, 10_000), channels=st.integers(1, 3), height=st.integers(1, 4), width=st.integers(1, 4))
def test_directions_are_orthonormal_and_all_of_them_lose_nothing(
    seed: int, channels: int, height: int, width: int
) -> None:
    images = make_images(40, channels, height, width, seed)
    pca = compute_principal_components(images)
    size = channels * height * width
    torch.testing.assert_close(pca.directions.T @ pca.directions, torch.eye(size, dtype=torch.float64))
    torch.testing.assert_close(pca.reconstruct(images, size), images)
    assert (pca.variances.diff() <= 1e-9).all()


def test_coordinates_are_uncorrelated_with_the_promised_variances(images: Tensor, pca: PrincipalComponents) -> None:
    coordinates = pca.compute_coordinates(images)
    torch.testing.assert_close(coordinates.T.cov(), torch.diag(pca.variances), atol=1e-8, rtol=1e-8)
    torch.testing.assert_close(coordinates.mean(dim=0), torch.zeros(20, dtype=torch.float64), atol=1e-9, rtol=0)


def test_the_error_of_a_reconstruction_is_the_variance_left_out(images: Tensor, pca: PrincipalComponents) -> None:
    for count in (0, 1, 7, 19):
        error = (images - pca.reconstruct(images, count)).square().sum() / (len(images) - 1)
        torch.testing.assert_close(error, pca.variances[count:].sum())
        assert pca.compute_kept()[count].item() == pytest.approx(
            1 - (pca.variances[count + 1 :].sum() / pca.variances.sum()).item()
        )


def test_no_other_directions_keep_more(images: Tensor, pca: PrincipalComponents) -> None:
    """Eckart and Young: three random orthonormal directions never beat the first three components."""
    best = (images - pca.reconstruct(images, 3)).square().sum()
    for seed in range(20):
        random = torch.Generator().manual_seed(seed)
        other, _ = torch.linalg.qr(torch.randn(20, 3, generator=random, dtype=torch.float64))
        rows = (images - pca.mean).flatten(1)
        assert (rows - rows @ other @ other.T).square().sum() > best


def test_decoding_counts_in_standard_deviations(pca: PrincipalComponents) -> None:
    zero = torch.zeros(1, 5, dtype=torch.float64)
    torch.testing.assert_close(pca.decode(zero)[0], pca.mean)
    zero[0, 2] = 2.0
    wanted = pca.mean.flatten() + 2 * pca.deviations[2] * pca.directions[:, 2]
    torch.testing.assert_close(pca.decode(zero)[0].flatten(), wanted)


def test_whitened_pictures_have_the_identity_as_covariance(images: Tensor, pca: PrincipalComponents) -> None:
    white = pca.whiten(images, epsilon=0)
    assert white.shape == images.shape
    torch.testing.assert_close(compute_covariance(white), torch.eye(20, dtype=torch.float64))


def test_zca_turns_nothing(images: Tensor, pca: PrincipalComponents) -> None:
    """Of all whitenings, ZCA has the symmetric matrix: the inverse root of the covariance."""
    white = pca.whiten(images, epsilon=0).flatten(1)
    covariance = compute_covariance(images)
    matrix = torch.linalg.solve((images - pca.mean).flatten(1)[:20], white[:20])
    torch.testing.assert_close(matrix, matrix.T)
    torch.testing.assert_close(matrix @ covariance @ matrix, torch.eye(20, dtype=torch.float64))


def test_epsilon_keeps_empty_directions_quiet() -> None:
    images = make_images()
    images[..., 0] = 1.0  # pixels that never change: their variance is nought
    pca = compute_principal_components(images)
    white = pca.whiten(images, epsilon=1e-2)
    assert torch.isfinite(white).all()
    assert white[..., 0].abs().max() < 1e-3


def test_samples_have_the_mean_and_covariance_of_the_set(images: Tensor, pca: PrincipalComponents) -> None:
    samples = pca.sample(20_000, 20, torch.Generator().manual_seed(0))
    assert samples.shape == (20_000, 1, 4, 5) and samples.dtype == images.dtype
    scale = pca.variances.max()
    assert (samples.mean(dim=0) - pca.mean).abs().max() < 0.05 * scale.sqrt()
    assert (compute_covariance(samples) - compute_covariance(images)).abs().max() < 0.05 * scale


def test_samples_repeat_with_their_seed(pca: PrincipalComponents) -> None:
    first, again, other = (pca.sample(3, 5, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_signs_do_not_depend_on_the_order_of_the_pictures(images: Tensor, pca: PrincipalComponents) -> None:
    torch.testing.assert_close(compute_principal_components(images.flip(0)).directions, pca.directions)


def test_one_picture_is_not_enough() -> None:
    with pytest.raises(ValueError, match="at least 2 pictures, got 1"):
        compute_principal_components(make_images(1))


def test_eigenimages_are_scaled_to_be_seen() -> None:
    pca = compute_principal_components(torch.randn(40, 1, 6, 5))
    pictures = compute_eigenimages(pca, 8)
    assert pictures.shape == (8, 1, 6, 5)
    torch.testing.assert_close(pictures.abs().amax(dim=(1, 2, 3)), torch.ones(8))
    cosine = torch.nn.functional.cosine_similarity(pictures[3].flatten(), pca.directions[:, 3], dim=0)
    assert cosine.item() == pytest.approx(1, abs=1e-5)
